-- The validity watch: what was announced, certificates that were seen, checks of revocation, and notices on their way. Times are
-- milliseconds since 1970 in UTC.

-- The last step that was announced for one end of one thing. What is renewed has another end, and starts anew. Written by
-- sentinels, only ever to a later step: whoever writes first, announces.
CREATE TABLE validity_step (
    kind         TEXT NOT NULL,
    tenant       TEXT NOT NULL,     -- empty: of the whole instance
    subject      TEXT NOT NULL,     -- which one, by kind
    not_after    INTEGER NOT NULL,
    days_before  INTEGER NOT NULL,  -- the step: days before the end, 0 once it has ended
    announced_at INTEGER NOT NULL,
    CONSTRAINT validity_step_kind_known
        CHECK (kind IN ('key', 'signer', 'tsa', 'intermediate', 'anchor', 'tls', 'api_key')),
    CONSTRAINT validity_step_key PRIMARY KEY (kind, tenant, subject, not_after)
) STRICT;
CREATE INDEX validity_step_by_end ON validity_step (not_after);

-- Certificates that are not ours to keep, as they were last seen: those that people signed with, of the time-stamping authority, of
-- TLS servers. Written with each signature whose key is not in the token, and by sentinels and engines.
CREATE TABLE seen_certificate (
    kind        TEXT NOT NULL,
    tenant      TEXT NOT NULL,      -- empty: of the whole instance
    subject     TEXT NOT NULL,      -- which one, by kind
    custody     TEXT NOT NULL,      -- where the private key is, of a signer; else empty
    certificate BLOB NOT NULL,      -- DER
    not_after   INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    CONSTRAINT seen_certificate_kind_known CHECK (kind IN ('signer', 'tsa', 'tls')),
    CONSTRAINT seen_certificate_custody_known CHECK (custody IN ('', 'local', 'lacuna')),
    CONSTRAINT seen_certificate_signer_has_custody CHECK ((kind = 'signer') = (custody <> '')),
    CONSTRAINT seen_certificate_key PRIMARY KEY (kind, tenant, subject, custody)
) STRICT;
CREATE INDEX seen_certificate_by_end ON seen_certificate (not_after);

CREATE INDEX signing_key_by_end ON signing_key (not_after) WHERE state <> 'retired';
CREATE INDEX api_key_by_end ON api_key (expires_at) WHERE expires_at IS NOT NULL AND revoked_at IS NULL;

-- When revocation of a key's certificate is asked again. Written by sentinels.
CREATE TABLE revocation_check (
    key_id     TEXT PRIMARY KEY CONSTRAINT revocation_check_key REFERENCES signing_key (id),
    next_at    INTEGER NOT NULL,    -- not before; while somebody asks, when they are taken for dead
    since      INTEGER NOT NULL,    -- when next_at was written
    checked_at INTEGER,             -- the last answer
    outcome    TEXT,                -- of the last try
    CONSTRAINT revocation_check_outcome_known CHECK (outcome IS NULL OR outcome IN ('good', 'revoked', 'unknown')),
    CONSTRAINT revocation_check_answered CHECK (outcome IS NULL OR outcome = 'unknown' OR checked_at IS NOT NULL)
) STRICT;

-- A notice to one recipient. Written by sentinels, in the transaction of what it tells.
CREATE TABLE notice (
    id               TEXT PRIMARY KEY,
    tenant           TEXT NOT NULL,     -- empty: of the whole instance
    kind             TEXT NOT NULL,
    subject          TEXT NOT NULL,     -- what it tells about
    recipient        BLOB,              -- address, encrypted; removed at the end
    recipient_masked TEXT NOT NULL,
    language         TEXT NOT NULL,
    content          TEXT NOT NULL,     -- JSON of what the text says
    state            TEXT NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,
    next_try_at      INTEGER NOT NULL,
    waits_since      INTEGER NOT NULL,  -- when next_try_at was written
    last_error       TEXT,
    created_at       INTEGER NOT NULL,
    ended_at         INTEGER,
    CONSTRAINT notice_kind_known CHECK (kind IN ('expiring', 'revoked')),
    CONSTRAINT notice_state_known CHECK (state IN ('pending', 'sent', 'dead')),
    CONSTRAINT notice_language_known CHECK (language IN ('pt-BR', 'en')),
    CONSTRAINT notice_ended CHECK ((state = 'pending') = (ended_at IS NULL) AND (state = 'pending') = (recipient IS NOT NULL))
) STRICT;
CREATE INDEX notice_due ON notice (next_try_at) WHERE state = 'pending';
