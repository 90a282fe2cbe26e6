-- Webhooks: addresses of tenants that are told events, and what was told to each.

CREATE TABLE webhook (
    id              TEXT PRIMARY KEY,
    tenant          TEXT NOT NULL,
    url             TEXT NOT NULL,
    event_types     TEXT,             -- JSON list of names; NULL: every type
    description     TEXT,
    state           TEXT NOT NULL,
    secret          BLOB NOT NULL,    -- encrypted: nonce, AES-256-GCM, tag
    previous_secret BLOB,             -- the one before the last rotation
    previous_until  INTEGER,          -- until when it signs too
    told            INTEGER NOT NULL, -- sequence of the last event that was looked at
    failing_since   INTEGER,          -- first failure since the last success
    created_at      INTEGER NOT NULL,
    disabled_at     INTEGER,
    CONSTRAINT webhook_state_known CHECK (state IN ('active', 'disabled')),
    CONSTRAINT webhook_disabled_has_time CHECK ((state = 'disabled') = (disabled_at IS NOT NULL)),
    CONSTRAINT webhook_previous_has_end CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
) STRICT;
CREATE INDEX webhook_by_tenant ON webhook (tenant, created_at, id);

-- One event on its way to one webhook.
CREATE TABLE delivery (
    webhook_id   TEXT NOT NULL CONSTRAINT delivery_webhook REFERENCES webhook (id),
    sequence     INTEGER NOT NULL,    -- of the event
    event_id     TEXT NOT NULL,
    event_type   TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0, -- that were begun
    last_status  INTEGER,             -- HTTP status of the last one that got an answer
    last_error   TEXT,                -- what was wrong with the last one
    next_try_at  INTEGER NOT NULL,    -- while an attempt is under way: when it is given up
    created_at   INTEGER NOT NULL,
    delivered_at INTEGER,
    CONSTRAINT delivery_key PRIMARY KEY (webhook_id, sequence),
    CONSTRAINT delivery_state_known CHECK (state IN ('pending', 'delivered', 'dead')),
    CONSTRAINT delivery_delivered_has_time CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (webhook_id, next_try_at) WHERE state = 'pending';
CREATE INDEX delivery_by_event ON delivery (webhook_id, event_id);
