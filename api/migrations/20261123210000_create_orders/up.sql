-- Orders: documents that participants sign under common rules. Times are milliseconds since 1970 in UTC.

-- What has to be signed. Written by POST /v1/orders, by the ends of signatures and by the timer of deadlines.
CREATE TABLE signing_order (
    id                    TEXT PRIMARY KEY,
    tenant                TEXT NOT NULL,
    reference             TEXT,             -- the caller's own name for it; without personal data
    title                 TEXT NOT NULL,    -- what the participants are told they sign
    flow                  TEXT NOT NULL,
    format                TEXT NOT NULL,
    level                 TEXT NOT NULL,
    policy                TEXT NOT NULL,
    custodies             TEXT,             -- JSON list; NULL when every custody is open
    metadata              TEXT NOT NULL,    -- JSON object of the caller's own notes
    deadline              INTEGER,
    state                 TEXT NOT NULL,
    cancel_cause          TEXT,             -- set while it is open: it ends once no key of it is in use any more
    cancel_participant_id TEXT,             -- who declined
    cancel_reason         TEXT,
    created_at            INTEGER NOT NULL,
    ended_at              INTEGER,
    CONSTRAINT signing_order_flow_known CHECK (flow IN ('sequence', 'parallel')),
    CONSTRAINT signing_order_format_known CHECK (format IN ('pades', 'cades')),
    CONSTRAINT signing_order_level_known CHECK (level IN ('b', 't', 'lt', 'lta')),
    CONSTRAINT signing_order_policy_known CHECK (policy IN ('none', 'ad_rb', 'ad_rt', 'ad_rv', 'ad_rc', 'ad_ra')),
    CONSTRAINT signing_order_state_known CHECK (state IN ('open', 'completed', 'cancelled', 'expired')),
    CONSTRAINT signing_order_cause_known CHECK (cancel_cause IN ('requested', 'declined')),
    CONSTRAINT signing_order_ended CHECK ((state = 'open') = (ended_at IS NULL)),
    CONSTRAINT signing_order_cancelled_has_cause CHECK (state <> 'cancelled' OR cancel_cause IS NOT NULL),
    CONSTRAINT signing_order_expired_has_deadline CHECK (state <> 'expired' OR deadline IS NOT NULL)
) STRICT;
CREATE INDEX signing_order_by_tenant ON signing_order (tenant, created_at, id);
CREATE INDEX signing_order_by_reference ON signing_order (tenant, reference, created_at, id) WHERE reference IS NOT NULL;
CREATE INDEX signing_order_to_expire ON signing_order (deadline) WHERE state = 'open' AND deadline IS NOT NULL;

-- A document of an order, with what the next signature of it is made over. In PAdES that grows with every release.
CREATE TABLE order_document (
    order_id    TEXT NOT NULL CONSTRAINT order_document_order REFERENCES signing_order (id),
    document_id TEXT NOT NULL CONSTRAINT order_document_document REFERENCES document (id),
    number      INTEGER NOT NULL,   -- place in the order, from 1
    revision    INTEGER NOT NULL,   -- releases that are inside
    parts       BLOB NOT NULL,      -- objects whose bytes make the revision: their SHA-256, one after the other
    size_bytes  INTEGER NOT NULL,   -- of the revision
    sha256      BLOB NOT NULL,      -- of the revision
    held_by     TEXT,               -- signature that will make the next revision; no other may begin
    PRIMARY KEY (order_id, document_id),
    CONSTRAINT order_document_number_unique UNIQUE (order_id, number),
    CONSTRAINT order_document_parts_whole CHECK (length(parts) = 32 * (revision + 1)),
    CONSTRAINT order_document_sha256_length CHECK (length(sha256) = 32)
) STRICT;

-- Who signs. Written with the order, by the ends of signatures and by POST …/decline.
CREATE TABLE participant (
    id            TEXT PRIMARY KEY,
    order_id      TEXT NOT NULL CONSTRAINT participant_order REFERENCES signing_order (id),
    number        INTEGER NOT NULL,   -- place in the order, from 1
    position      INTEGER NOT NULL,   -- step of the sequence, from 1; 1 for everybody in a parallel flow
    signer_hash   BLOB NOT NULL,      -- keyed hash of the CPF or CNPJ
    signer_name   TEXT NOT NULL,
    signer_masked TEXT NOT NULL,
    role          TEXT,               -- as what they sign
    custodies     TEXT NOT NULL,      -- JSON list of those open to them
    must_sign     INTEGER NOT NULL,   -- 1 when the order waits for them
    state          TEXT NOT NULL,
    ended_at       INTEGER,
    decline_reason TEXT,
    CONSTRAINT participant_number_unique UNIQUE (order_id, number),
    CONSTRAINT participant_signer_hash_length CHECK (length(signer_hash) = 32),
    CONSTRAINT participant_must_sign_is_flag CHECK (must_sign IN (0, 1)),
    CONSTRAINT participant_state_known CHECK (state IN ('waiting', 'ready', 'signed', 'declined', 'skipped')),
    CONSTRAINT participant_ended CHECK ((state IN ('signed', 'declined', 'skipped')) = (ended_at IS NOT NULL))
) STRICT;

-- When those who may sign are reminded. Claimed by setting `pending` to 0.
CREATE TABLE order_reminder (
    order_id     TEXT NOT NULL CONSTRAINT order_reminder_order REFERENCES signing_order (id),
    hours_before INTEGER NOT NULL,    -- the deadline
    due_at       INTEGER NOT NULL,
    pending      INTEGER NOT NULL,    -- 1 until it is sent or its order ends
    sent_at      INTEGER,
    PRIMARY KEY (order_id, hours_before),
    CONSTRAINT order_reminder_pending_is_flag CHECK (pending IN (0, 1)),
    CONSTRAINT order_reminder_sent CHECK (pending = 0 OR sent_at IS NULL)
) STRICT;
CREATE INDEX order_reminder_to_send ON order_reminder (due_at) WHERE pending = 1;

-- A session may be for one participant of one order.
ALTER TABLE session ADD COLUMN order_id TEXT CONSTRAINT session_order REFERENCES signing_order (id);
ALTER TABLE session ADD COLUMN participant_id TEXT CONSTRAINT session_participant REFERENCES participant (id);

-- A signature of an order remembers over which revision of the document it is made.
ALTER TABLE signature ADD COLUMN order_id TEXT CONSTRAINT signature_order REFERENCES signing_order (id);
ALTER TABLE signature ADD COLUMN participant_id TEXT CONSTRAINT signature_participant REFERENCES participant (id);
ALTER TABLE signature ADD COLUMN base_revision INTEGER;
ALTER TABLE signature ADD COLUMN base_parts BLOB;
ALTER TABLE signature ADD COLUMN base_size_bytes INTEGER;
CREATE INDEX signature_by_order ON signature (order_id) WHERE order_id IS NOT NULL;
-- A participant signs a document once; what ended without artefact may be tried again.
CREATE UNIQUE INDEX signature_once_per_participant ON signature (participant_id, document_id)
    WHERE participant_id IS NOT NULL AND state IN ('accepted', 'prepared', 'signing', 'released');
