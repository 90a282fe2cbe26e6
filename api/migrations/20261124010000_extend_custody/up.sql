-- What the sequential check needs of a session, and when and why the state of a key last changed.

-- CPF or CNPJ of the signer, encrypted, where a cloud service of the tenant is asked by it; removed when the session has
-- ended. Written by POST /v1/sessions.
ALTER TABLE session ADD COLUMN signer_sealed BLOB;
-- The result of the check that was last told as an event. Written by GET /v1/custody.
ALTER TABLE session ADD COLUMN custody_told TEXT;

-- When the state last changed: milliseconds since 1970 in UTC; NULL while it is the first one.
ALTER TABLE signing_key ADD COLUMN changed_at INTEGER;
-- Why, as an error code; NULL when somebody asked for it.
ALTER TABLE signing_key ADD COLUMN changed_code TEXT;
-- The credential that asked for it, for the operator.
ALTER TABLE signing_key ADD COLUMN changed_by TEXT;

-- Read by the timer that removes them.
CREATE INDEX session_sealed ON session (expires_at) WHERE signer_sealed IS NOT NULL;
