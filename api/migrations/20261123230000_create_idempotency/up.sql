-- Answers to requests with an idempotency key. Written in the transaction of the work that the request did, so that there are
-- both or neither; removed by a timer.
CREATE TABLE idempotency (
    principal   TEXT NOT NULL,       -- kind of credential and whose it is
    route       TEXT NOT NULL,       -- operation of the contract
    key         TEXT NOT NULL,       -- as the caller chose it
    body_sha256 BLOB NOT NULL,       -- of the request: another body under the same key is refused
    status      INTEGER NOT NULL,
    location    TEXT,
    sealed_body BLOB NOT NULL,       -- body of the answer, encrypted: it may hold a token that is kept nowhere else
    expires_at  INTEGER NOT NULL,
    CONSTRAINT idempotency_key PRIMARY KEY (principal, route, key),
    CONSTRAINT idempotency_body_sha256_length CHECK (length(body_sha256) = 32)
) STRICT;
CREATE INDEX idempotency_by_end ON idempotency (expires_at);
