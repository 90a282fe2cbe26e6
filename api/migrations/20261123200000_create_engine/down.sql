-- What the older version has no words for is lost: batches with their signatures, events, documents of backends.
DROP TABLE event;
DROP TABLE outbox;
DROP TABLE task;
DROP TABLE worker;
CREATE TABLE document_reduced (
    id         TEXT PRIMARY KEY,
    session_id TEXT NOT NULL CONSTRAINT document_session REFERENCES session (id),
    name       TEXT NOT NULL,        -- file name given at upload
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256     BLOB NOT NULL,        -- address of the bytes
    created_at INTEGER NOT NULL,
    CONSTRAINT document_sha256_length CHECK (length(sha256) = 32)
) STRICT;
INSERT INTO document_reduced (id, session_id, name, media_type, size_bytes, sha256, created_at)
SELECT id, session_id, name, media_type, size_bytes, sha256, created_at FROM document WHERE session_id IS NOT NULL;
CREATE TABLE signature_reduced (
    id                  TEXT PRIMARY KEY,
    session_id          TEXT NOT NULL CONSTRAINT signature_session REFERENCES session (id),
    document_id         TEXT NOT NULL CONSTRAINT signature_document REFERENCES document_reduced (id),
    custody             TEXT NOT NULL,
    format              TEXT NOT NULL,
    level               TEXT NOT NULL,
    policy              TEXT NOT NULL,
    state               TEXT NOT NULL,
    key_id              TEXT CONSTRAINT signature_key REFERENCES signing_key (id),
    certificate         BLOB NOT NULL,    -- DER, pinned at creation
    options             TEXT,             -- JSON of what was asked for beside level and policy: field, appearance
    plan                BLOB,             -- pinned data to be signed; never changes once written
    value               BLOB,             -- what the key made, above level b; kept so that the key is not used again
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
    CONSTRAINT signature_level_known CHECK (level IN ('b', 't', 'lt', 'lta')),
    CONSTRAINT signature_policy_known CHECK (policy IN ('none', 'ad_rb', 'ad_rt', 'ad_rv', 'ad_rc', 'ad_ra')),
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
INSERT INTO signature_reduced (id, session_id, document_id, custody, format, level, policy, state,
       key_id, certificate, options, plan, value, completion_sha256, artefact_name, artefact_media_type,
       artefact_size_bytes, artefact_sha256, artefact_tail, released_at, problem_code, problem_detail, created_at, expires_at)
SELECT id, session_id, document_id, custody, format, level, policy, state,
       key_id, certificate, options, plan, value, completion_sha256, artefact_name, artefact_media_type,
       artefact_size_bytes, artefact_sha256, artefact_tail, released_at, problem_code, problem_detail, created_at, expires_at
FROM signature WHERE batch_id IS NULL AND session_id IS NOT NULL AND state <> 'cancelled';
DROP TABLE signature;
DROP TABLE batch;
DROP TABLE document;
ALTER TABLE document_reduced RENAME TO document;
ALTER TABLE signature_reduced RENAME TO signature;
-- The few that are under way: read at start and by the expiry timer.
CREATE INDEX signature_under_way ON signature (custody, state, expires_at)
    WHERE state IN ('accepted', 'prepared', 'signing');
ALTER TABLE signing_key DROP COLUMN tenant;
ALTER TABLE session RENAME COLUMN tenant TO client;
