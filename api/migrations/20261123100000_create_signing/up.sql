-- Sessions, documents, keys and signatures. Times are milliseconds since 1970 in UTC; digests are 32 raw bytes.

-- A signing session of one signer, opened by a client's backend. Written by POST /v1/sessions.
CREATE TABLE session (
    id            TEXT PRIMARY KEY,
    client        TEXT NOT NULL,     -- name of the API key that opened it
    token_hash    BLOB NOT NULL,     -- SHA-256 of the bearer token
    signer_hash   BLOB NOT NULL,     -- HMAC of CPF or CNPJ under the lookup key
    signer_name   TEXT NOT NULL,     -- as the client knows it
    signer_masked TEXT NOT NULL,     -- masked CPF or CNPJ
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    CONSTRAINT session_token_hash_length CHECK (length(token_hash) = 32),
    CONSTRAINT session_signer_hash_length CHECK (length(signer_hash) = 32)
) STRICT;
CREATE UNIQUE INDEX session_token_hash_unique ON session (token_hash);

-- Origins of the pages that may use a session.
CREATE TABLE session_origin (
    origin     TEXT NOT NULL,
    session_id TEXT NOT NULL CONSTRAINT session_origin_session REFERENCES session (id),
    expires_at INTEGER NOT NULL,     -- copy of the session's, for clearing
    CONSTRAINT session_origin_key PRIMARY KEY (origin, session_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_origin_by_session ON session_origin (session_id);
CREATE INDEX session_origin_by_end ON session_origin (expires_at);

-- Small objects by their SHA-256; large ones are files. Written by uploads and by the engine.
CREATE TABLE object (
    sha256 BLOB PRIMARY KEY,
    bytes  BLOB NOT NULL,
    CONSTRAINT object_sha256_length CHECK (length(sha256) = 32)
) STRICT;

-- An immutable document. Written by POST /v1/documents.
CREATE TABLE document (
    id         TEXT PRIMARY KEY,
    session_id TEXT NOT NULL CONSTRAINT document_session REFERENCES session (id),
    name       TEXT NOT NULL,        -- file name given at upload
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256     BLOB NOT NULL,        -- address of the bytes
    created_at INTEGER NOT NULL,
    CONSTRAINT document_sha256_length CHECK (length(sha256) = 32)
) STRICT;

-- A key in the token, with its certificate. Written when keys are provisioned.
CREATE TABLE signing_key (
    id          TEXT PRIMARY KEY,
    signer_hash BLOB NOT NULL,       -- whose key it is: HMAC of CPF or CNPJ
    cka_id      BLOB NOT NULL,       -- CKA_ID on the token
    algorithm   TEXT NOT NULL,
    certificate BLOB NOT NULL,       -- DER
    state       TEXT NOT NULL,
    not_after   INTEGER NOT NULL,    -- end of the certificate, for the order of choice
    created_at  INTEGER NOT NULL,
    CONSTRAINT signing_key_algorithm_known CHECK (algorithm IN ('rsa', 'ec')),
    CONSTRAINT signing_key_state_known CHECK (state IN ('active', 'suspended', 'retired'))
) STRICT;
CREATE UNIQUE INDEX signing_key_cka_id_unique ON signing_key (cka_id);
CREATE INDEX signing_key_signer ON signing_key (signer_hash, state, not_after);

-- One signer's act on one document. Written by POST /v1/signatures, its completion and the engine.
CREATE TABLE signature (
    id                  TEXT PRIMARY KEY,
    session_id          TEXT NOT NULL CONSTRAINT signature_session REFERENCES session (id),
    document_id         TEXT NOT NULL CONSTRAINT signature_document REFERENCES document (id),
    custody             TEXT NOT NULL,
    format              TEXT NOT NULL,
    level               TEXT NOT NULL,
    policy              TEXT NOT NULL,
    state               TEXT NOT NULL,
    key_id              TEXT CONSTRAINT signature_key REFERENCES signing_key (id),
    certificate         BLOB NOT NULL,    -- DER, pinned at creation
    plan                BLOB,             -- pinned data to be signed; never changes once written
    completion_sha256   BLOB,             -- SHA-256 of the value that completed it, to recognise a repeated call
    artefact_name       TEXT,
    artefact_media_type TEXT,
    artefact_size_bytes INTEGER,
    artefact_sha256     BLOB,             -- of the whole artefact
    artefact_tail       BLOB,             -- object that follows the document (PAdES) or stands alone (CAdES)
    released_at         INTEGER,
    problem_code        TEXT,
    problem_detail      TEXT,
    created_at          INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL, -- until when a prepared one may be completed
    CONSTRAINT signature_custody_known CHECK (custody IN ('local', 'hsm')),
    CONSTRAINT signature_format_known CHECK (format IN ('pades', 'cades')),
    CONSTRAINT signature_level_known CHECK (level IN ('b')),
    CONSTRAINT signature_policy_known CHECK (policy IN ('none')),
    CONSTRAINT signature_state_known
        CHECK (state IN ('accepted', 'prepared', 'signing', 'released', 'failed', 'expired')),
    CONSTRAINT signature_hsm_has_key CHECK ((custody = 'hsm') = (key_id IS NOT NULL)),
    CONSTRAINT signature_plan_pinned CHECK (plan IS NOT NULL OR state IN ('accepted', 'failed', 'expired')),
    CONSTRAINT signature_released_has_artefact
        CHECK ((state = 'released') = (artefact_sha256 IS NOT NULL AND artefact_tail IS NOT NULL
               AND artefact_name IS NOT NULL AND artefact_media_type IS NOT NULL
               AND artefact_size_bytes IS NOT NULL AND released_at IS NOT NULL)),
    CONSTRAINT signature_ended_has_problem CHECK ((state IN ('failed', 'expired')) = (problem_code IS NOT NULL))
) STRICT;
-- The few that are under way: read at start and by the expiry timer.
CREATE INDEX signature_under_way ON signature (custody, state, expires_at)
    WHERE state IN ('accepted', 'prepared', 'signing');
