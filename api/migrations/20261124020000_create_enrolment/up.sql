-- How keys come into the token. An enrolment's row names the CKA_ID before anything is made on the token, so that whatever a
-- crash leaves there is known here and can be destroyed.

-- A person's agreement to have keys kept. Written by POST /v1/consents and its withdrawal.
CREATE TABLE consent (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    signer_hash  BLOB NOT NULL,      -- who agreed: HMAC of CPF or CNPJ
    session_id   TEXT NOT NULL CONSTRAINT consent_session REFERENCES session (id),
    text_version TEXT NOT NULL,
    language     TEXT NOT NULL,
    text_sha256  BLOB NOT NULL,      -- of the text that was shown
    given_at     INTEGER NOT NULL,
    withdrawn_at INTEGER,
    CONSTRAINT consent_signer_hash_length CHECK (length(signer_hash) = 32),
    CONSTRAINT consent_text_sha256_length CHECK (length(text_sha256) = 32)
) STRICT;
CREATE INDEX consent_by_signer ON consent (tenant, signer_hash, given_at);

-- The way of one key into the token. Written by /v1/enrolments, the command line and the sweep.
CREATE TABLE enrolment (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    signer_hash BLOB NOT NULL,       -- whose key it is
    session_id  TEXT CONSTRAINT enrolment_session REFERENCES session (id),  -- NULL at the command line
    consent_id  TEXT CONSTRAINT enrolment_consent REFERENCES consent (id),  -- NULL for keys of the tenant's own
    method      TEXT NOT NULL,
    state       TEXT NOT NULL,
    cka_id      BLOB NOT NULL,       -- CKA_ID on the token, chosen beforehand
    algorithm   TEXT NOT NULL,
    public_key  BLOB,                -- DER of the SubjectPublicKeyInfo
    csr         BLOB,                -- DER of the PKCS#10 request
    key_id      TEXT CONSTRAINT enrolment_key REFERENCES signing_key (id),
    code        TEXT,                -- why it failed
    is_clean    INTEGER NOT NULL,    -- 1: nothing is on the token that should not be there
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    CONSTRAINT enrolment_signer_hash_length CHECK (length(signer_hash) = 32),
    CONSTRAINT enrolment_method_known CHECK (method IN ('generate', 'import')),
    CONSTRAINT enrolment_state_known
        CHECK (state IN ('creating', 'awaiting_certificate', 'completed', 'cancelled', 'failed')),
    CONSTRAINT enrolment_algorithm_known CHECK (algorithm IN ('rsa', 'ec'))
) STRICT;
CREATE UNIQUE INDEX enrolment_cka_id_unique ON enrolment (cka_id);
CREATE INDEX enrolment_by_signer ON enrolment (tenant, signer_hash, created_at);
CREATE INDEX enrolment_by_consent ON enrolment (consent_id);
CREATE INDEX enrolment_to_clear ON enrolment (is_clean, state);
