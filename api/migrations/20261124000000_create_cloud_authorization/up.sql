-- Keys at cloud services: custody `lacuna`, and the permissions of their owners.

-- A person's permission to use a key at a cloud service for named documents and a short time. Written by /v1/authorizations and
-- the engine. `authorization` is a reserved word of PostgreSQL.
CREATE TABLE cloud_authorization (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    session_id   TEXT NOT NULL CONSTRAINT cloud_authorization_session REFERENCES session (id),
    signer_hash  BLOB NOT NULL,     -- whose key: HMAC of CPF or CNPJ
    service      TEXT NOT NULL,     -- name of the service in the configuration
    scope        TEXT NOT NULL,     -- what the service allows: one use, or uses until the end
    state        TEXT NOT NULL,
    state_sha256 BLOB NOT NULL,     -- of the random `state` that the return URL carries
    sealed       BLOB,              -- the secret of the service, encrypted; NULL once it is used, expired or failed
    certificate  BLOB,              -- DER of the person's certificate at the service, once granted
    uses         INTEGER NOT NULL DEFAULT 0, -- calls for a signature that may have reached the key
    problem_code TEXT,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,  -- of the request, then of the permission
    CONSTRAINT cloud_authorization_state_known CHECK (state IN ('requested', 'granted', 'used', 'expired', 'failed')),
    CONSTRAINT cloud_authorization_scope_known CHECK (scope IN ('one', 'session')),
    CONSTRAINT cloud_authorization_signer_length CHECK (length(signer_hash) = 32),
    CONSTRAINT cloud_authorization_state_length CHECK (length(state_sha256) = 32),
    CONSTRAINT cloud_authorization_holds_a_secret CHECK ((state IN ('requested', 'granted')) = (sealed IS NOT NULL)),
    CONSTRAINT cloud_authorization_granted_has_certificate CHECK (state NOT IN ('granted', 'used') OR certificate IS NOT NULL),
    CONSTRAINT cloud_authorization_failed_has_problem CHECK ((state = 'failed') = (problem_code IS NOT NULL))
) STRICT;
-- Read by the timer that ends them.
CREATE INDEX cloud_authorization_open ON cloud_authorization (expires_at) WHERE sealed IS NOT NULL;

-- The documents that a permission is for.
CREATE TABLE cloud_authorization_document (
    authorization_id TEXT NOT NULL CONSTRAINT cloud_authorization_document_of REFERENCES cloud_authorization (id),
    document_id      TEXT NOT NULL CONSTRAINT cloud_authorization_document_is REFERENCES document (id),
    PRIMARY KEY (authorization_id, document_id)
) STRICT;

-- only PostgreSQL {
ALTER TABLE signature ADD COLUMN authorization_id TEXT CONSTRAINT signature_authorization REFERENCES cloud_authorization (id);
ALTER TABLE signature DROP CONSTRAINT signature_custody_known;
ALTER TABLE signature ADD CONSTRAINT signature_custody_known CHECK (custody IN ('local', 'hsm', 'lacuna'));
ALTER TABLE signature ADD CONSTRAINT signature_lacuna_has_authorization
    CHECK ((custody = 'lacuna') = (authorization_id IS NOT NULL));
-- }
-- only SQLite {
-- It changes no constraint in place: the rows are taken out and put back. Until then the references of tasks lead nowhere.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE signature_kept AS SELECT * FROM signature;
DROP TABLE signature;
CREATE TABLE signature (
    id                  TEXT PRIMARY KEY,
    tenant              TEXT NOT NULL,
    session_id          TEXT CONSTRAINT signature_session REFERENCES session (id),           -- NULL in a batch
    document_id         TEXT CONSTRAINT signature_document REFERENCES document (id), -- NULL when only the digest is known
    document_name       TEXT,             -- of a document of which only the digest is known
    document_sha256     BLOB NOT NULL,
    signer_hash         BLOB,             -- who signs: HMAC of CPF or CNPJ; NULL when the certificate names nobody
    batch_id            TEXT CONSTRAINT signature_batch REFERENCES batch (id),
    position            INTEGER,          -- in the batch, from 1
    reference           TEXT,             -- the caller's own, in the batch
    custody             TEXT NOT NULL,
    format              TEXT NOT NULL,
    level               TEXT NOT NULL,
    policy              TEXT NOT NULL,
    state               TEXT NOT NULL,
    key_id              TEXT CONSTRAINT signature_key REFERENCES signing_key (id),
    certificate         BLOB,             -- DER, pinned at creation; in a batch the batch has it
    options             TEXT,             -- JSON of what was asked for beside level and policy: field, appearance
    plan                BLOB,             -- pinned data to be signed; never changes once written
    signed_at           INTEGER,          -- the time that the signature claims, pinned with the plan
    value               BLOB,             -- what the key made, above level b or in a batch; kept so that the key is not used again
    completion_sha256   BLOB,             -- SHA-256 of the value that completed it, to recognise a repeated call
    artefact_name       TEXT,
    artefact_media_type TEXT,
    artefact_size_bytes INTEGER,
    artefact_sha256     BLOB,             -- of the whole artefact
    artefact_tail       BLOB,             -- object that follows the document (PAdES) or stands alone (CAdES); NULL when plan and value tell it
    released_at         INTEGER,
    release_position    INTEGER,          -- outbox position of the event of its release
    problem_code        TEXT,
    problem_detail      TEXT,
    created_at          INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL, -- until when a prepared one may be completed
    order_id            TEXT CONSTRAINT signature_order REFERENCES signing_order (id),
    participant_id      TEXT CONSTRAINT signature_participant REFERENCES participant (id),
    base_revision       INTEGER,          -- of the document of an order, over which it is made
    base_parts          BLOB,
    base_size_bytes     INTEGER,
    authorization_id    TEXT CONSTRAINT signature_authorization REFERENCES cloud_authorization (id),
    CONSTRAINT signature_document_sha256_length CHECK (length(document_sha256) = 32),
    CONSTRAINT signature_batch_position CHECK ((batch_id IS NULL) = (position IS NULL) AND (batch_id IS NULL) = (reference IS NULL)),
    CONSTRAINT signature_has_certificate CHECK ((batch_id IS NULL) = (certificate IS NOT NULL)),
    CONSTRAINT signature_custody_known CHECK (custody IN ('local', 'hsm', 'lacuna')),
    CONSTRAINT signature_format_known CHECK (format IN ('pades', 'cades')),
    CONSTRAINT signature_level_known CHECK (level IN ('b', 't', 'lt', 'lta')),
    CONSTRAINT signature_policy_known CHECK (policy IN ('none', 'ad_rb', 'ad_rt', 'ad_rv', 'ad_rc', 'ad_ra')),
    CONSTRAINT signature_state_known
        CHECK (state IN ('accepted', 'prepared', 'signing', 'released', 'failed', 'expired', 'cancelled')),
    CONSTRAINT signature_hsm_has_key CHECK ((custody = 'hsm') = (key_id IS NOT NULL)),
    CONSTRAINT signature_lacuna_has_authorization CHECK ((custody = 'lacuna') = (authorization_id IS NOT NULL)),
    CONSTRAINT signature_plan_pinned
        CHECK ((plan IS NOT NULL OR state IN ('accepted', 'failed', 'expired', 'cancelled'))
               AND (plan IS NULL) = (signed_at IS NULL)),
    CONSTRAINT signature_released_has_artefact
        CHECK ((state = 'released') = (artefact_sha256 IS NOT NULL AND artefact_name IS NOT NULL
               AND artefact_media_type IS NOT NULL AND artefact_size_bytes IS NOT NULL AND released_at IS NOT NULL
               AND (artefact_tail IS NOT NULL OR value IS NOT NULL))),
    CONSTRAINT signature_ended_has_problem
        CHECK ((state IN ('failed', 'expired', 'cancelled')) = (problem_code IS NOT NULL))
) STRICT;
INSERT INTO signature (
    id, tenant, session_id, document_id, document_name, document_sha256, signer_hash, batch_id, position, reference, custody, format,
    level, policy, state, key_id, certificate, options, plan, signed_at, value, completion_sha256, artefact_name, artefact_media_type,
    artefact_size_bytes, artefact_sha256, artefact_tail, released_at, release_position, problem_code, problem_detail, created_at,
    expires_at, order_id, participant_id, base_revision, base_parts, base_size_bytes)
SELECT
    id, tenant, session_id, document_id, document_name, document_sha256, signer_hash, batch_id, position, reference, custody, format,
    level, policy, state, key_id, certificate, options, plan, signed_at, value, completion_sha256, artefact_name, artefact_media_type,
    artefact_size_bytes, artefact_sha256, artefact_tail, released_at, release_position, problem_code, problem_detail, created_at,
    expires_at, order_id, participant_id, base_revision, base_parts, base_size_bytes
FROM signature_kept;
DROP TABLE signature_kept;
CREATE INDEX signature_to_complete ON signature (expires_at) WHERE custody = 'local' AND state = 'prepared';
CREATE UNIQUE INDEX signature_position_unique ON signature (batch_id, position) WHERE batch_id IS NOT NULL;
CREATE INDEX signature_by_order ON signature (order_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX signature_once_per_participant ON signature (participant_id, document_id)
    WHERE participant_id IS NOT NULL AND state IN ('accepted', 'prepared', 'signing', 'released');
-- }
