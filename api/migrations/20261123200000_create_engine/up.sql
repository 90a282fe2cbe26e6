-- Tenants, batches, the queue of the engine with its leases, and the outbox. SQLite changes no constraint in place: two
-- tables are copied. Counters and times are whole numbers; times are milliseconds since 1970 in UTC.

-- A session belongs to a tenant, whichever credential of it opened the session.
ALTER TABLE session RENAME COLUMN client TO tenant;

-- A key belongs to one tenant.
ALTER TABLE signing_key ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
UPDATE signing_key SET tenant = coalesce((SELECT min(tenant) FROM session WHERE tenant <> 'command-line'), 'default');

-- An immutable document. Written by POST /v1/documents and by the command line.
CREATE TABLE document_extended (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    session_id TEXT CONSTRAINT document_session REFERENCES session (id), -- NULL when a backend uploaded it
    name       TEXT NOT NULL,        -- file name given at upload
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256     BLOB NOT NULL,        -- address of the bytes
    created_at INTEGER NOT NULL,
    CONSTRAINT document_sha256_length CHECK (length(sha256) = 32)
) STRICT;
INSERT INTO document_extended (id, tenant, session_id, name, media_type, size_bytes, sha256, created_at)
SELECT document.id, session.tenant, session_id, name, media_type, size_bytes, sha256, document.created_at
FROM document JOIN session ON session.id = document.session_id;

-- Documents to be signed with one key, without a person present. Written by POST /v1/batches and the engine.
CREATE TABLE batch (
    id          TEXT PRIMARY KEY,
    tenant      TEXT NOT NULL,
    name        TEXT,                -- for people
    reference   TEXT,                -- the caller's own
    key_id      TEXT NOT NULL CONSTRAINT batch_key REFERENCES signing_key (id),
    certificate BLOB NOT NULL,       -- DER of the signer, pinned at creation
    chain       TEXT NOT NULL,       -- certificates between signer and root: JSON list of DER in base64
    format      TEXT NOT NULL,
    level       TEXT NOT NULL,
    policy      TEXT NOT NULL,
    options     TEXT,                -- JSON of what was asked for beside level and policy
    state       TEXT NOT NULL,
    total       INTEGER NOT NULL,    -- items
    released    INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    cancelled   INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    ended_at    INTEGER,
    CONSTRAINT batch_format_known CHECK (format IN ('pades', 'cades')),
    CONSTRAINT batch_level_known CHECK (level IN ('b', 't', 'lt', 'lta')),
    CONSTRAINT batch_policy_known CHECK (policy IN ('none', 'ad_rb', 'ad_rt', 'ad_rv', 'ad_rc', 'ad_ra')),
    CONSTRAINT batch_state_known
        CHECK (state IN ('queued', 'running', 'paused', 'cancelled', 'completed', 'completed_with_errors')),
    CONSTRAINT batch_counts_add_up CHECK (released + failed + cancelled <= total),
    CONSTRAINT batch_ended_is_complete
        CHECK ((ended_at IS NULL OR (released + failed + cancelled = total AND state NOT IN ('queued', 'running', 'paused')))
               AND (state NOT IN ('completed', 'completed_with_errors') OR ended_at IS NOT NULL))
) STRICT;
CREATE INDEX batch_by_tenant ON batch (tenant, created_at, id);

-- One signer's act on one document. Written by POST /v1/signatures, its completion, POST /v1/batches and the engine.
CREATE TABLE signature_extended (
    id                  TEXT PRIMARY KEY,
    tenant              TEXT NOT NULL,
    session_id          TEXT CONSTRAINT signature_session REFERENCES session (id),           -- NULL in a batch
    document_id         TEXT CONSTRAINT signature_document REFERENCES document_extended (id), -- NULL when only the digest is known
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
    CONSTRAINT signature_document_sha256_length CHECK (length(document_sha256) = 32),
    CONSTRAINT signature_batch_position CHECK ((batch_id IS NULL) = (position IS NULL) AND (batch_id IS NULL) = (reference IS NULL)),
    CONSTRAINT signature_has_certificate CHECK ((batch_id IS NULL) = (certificate IS NOT NULL)),
    CONSTRAINT signature_custody_known CHECK (custody IN ('local', 'hsm')),
    CONSTRAINT signature_format_known CHECK (format IN ('pades', 'cades')),
    CONSTRAINT signature_level_known CHECK (level IN ('b', 't', 'lt', 'lta')),
    CONSTRAINT signature_policy_known CHECK (policy IN ('none', 'ad_rb', 'ad_rt', 'ad_rv', 'ad_rc', 'ad_ra')),
    CONSTRAINT signature_state_known
        CHECK (state IN ('accepted', 'prepared', 'signing', 'released', 'failed', 'expired', 'cancelled')),
    CONSTRAINT signature_hsm_has_key CHECK ((custody = 'hsm') = (key_id IS NOT NULL)),
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
INSERT INTO signature_extended (id, tenant, session_id, document_id, document_sha256, signer_hash, custody, format, level, policy, state,
       key_id, certificate, options, plan, signed_at, value, completion_sha256, artefact_name, artefact_media_type,
       artefact_size_bytes, artefact_sha256, artefact_tail, released_at, problem_code, problem_detail, created_at, expires_at)
SELECT signature.id, document.tenant, signature.session_id, document_id, document.sha256, session.signer_hash, custody, format, level, policy,
       state, key_id, certificate, options, plan, CASE WHEN plan IS NOT NULL THEN signature.created_at END, value, completion_sha256, artefact_name, artefact_media_type,
       artefact_size_bytes, artefact_sha256, artefact_tail, released_at, problem_code, problem_detail,
       signature.created_at, signature.expires_at
FROM signature JOIN document_extended document ON document.id = signature.document_id
     JOIN session ON session.id = signature.session_id;
DROP TABLE signature;
DROP TABLE document;
ALTER TABLE document_extended RENAME TO document;
ALTER TABLE signature_extended RENAME TO signature;
-- Prepared ones that a person has to complete: read by the expiry timer.
CREATE INDEX signature_to_complete ON signature (expires_at) WHERE custody = 'local' AND state = 'prepared';
CREATE UNIQUE INDEX signature_position_unique ON signature (batch_id, position) WHERE batch_id IS NOT NULL;

-- A running engine. A worker is dead when its beat has stood still for the lease time of whoever looks, on that one's
-- monotonic clock: no clock of two machines is ever compared.
CREATE TABLE worker (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,        -- host and process, for people
    beat       INTEGER NOT NULL,     -- counts up
    started_at INTEGER NOT NULL
) STRICT;

-- What the engine has to do: one signature, or a run of items of a batch. Deleted when it is done.
CREATE TABLE task (
    id           IDENTITY PRIMARY KEY,
    tenant       TEXT NOT NULL,
    batch_id     TEXT CONSTRAINT task_batch REFERENCES batch (id),
    first        INTEGER,            -- positions in the batch
    last         INTEGER,
    signature_id TEXT CONSTRAINT task_signature REFERENCES signature (id),
    held         INTEGER NOT NULL DEFAULT 0, -- 1 while the batch is paused
    lease_worker TEXT,               -- who works on it
    lease_epoch  INTEGER NOT NULL DEFAULT 0, -- counts the leases: an older one cannot write any more
    attempts     INTEGER NOT NULL DEFAULT 0, -- that ended without an outcome
    next_try_at  INTEGER NOT NULL DEFAULT 0, -- not before this time
    CONSTRAINT task_is_one_thing
        CHECK ((signature_id IS NULL) = (batch_id IS NOT NULL) AND (batch_id IS NULL) = (first IS NULL AND last IS NULL)),
    CONSTRAINT task_held_is_flag CHECK (held IN (0, 1))
) STRICT;
CREATE INDEX task_free ON task (tenant, batch_id, id) WHERE lease_worker IS NULL AND held = 0;
CREATE INDEX task_leased ON task (lease_worker) WHERE lease_worker IS NOT NULL;
CREATE INDEX task_by_batch ON task (batch_id) WHERE batch_id IS NOT NULL;
CREATE UNIQUE INDEX task_signature_unique ON task (signature_id) WHERE signature_id IS NOT NULL;
INSERT INTO task (tenant, signature_id)
SELECT tenant, id FROM signature
WHERE (custody = 'hsm' AND state IN ('accepted', 'prepared', 'signing')) OR (custody = 'local' AND state = 'signing');

-- Events of one transaction, written in it. The relay moves them to `event`.
CREATE TABLE outbox (
    position IDENTITY PRIMARY KEY,
    tenant   TEXT,                   -- NULL for what concerns the whole instance: every tenant is told
    count    INTEGER NOT NULL,       -- events
    releases INTEGER NOT NULL,       -- events among them that release a signature
    events   TEXT NOT NULL,          -- one JSON per line: id, type, subject, time, data
    records  TEXT                    -- leaves of the receipts: one JSON per line and release; NULL without any
) STRICT;

-- The public log: every row is the events of one transaction, numbered without a gap. Written by the relay alone.
CREATE TABLE event (
    sequence   INTEGER PRIMARY KEY,  -- of the first event of the row
    position   INTEGER NOT NULL,     -- in the outbox
    tenant     TEXT,
    count      INTEGER NOT NULL,
    releases   INTEGER NOT NULL,
    first_leaf INTEGER NOT NULL,     -- index of the first release in the tree of receipts
    events     TEXT NOT NULL,
    records    TEXT,
    written_at INTEGER NOT NULL      -- when the relay took it
) STRICT;
CREATE UNIQUE INDEX event_position_unique ON event (position);
CREATE INDEX event_by_tenant ON event (tenant, sequence);
