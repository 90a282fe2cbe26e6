-- A credential of a tenant's backends. Written by POST and DELETE /v1/api-keys and by `rubrica api-keys`.
CREATE TABLE api_key (
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL,
    name         TEXT NOT NULL,      -- for people
    prefix       TEXT NOT NULL,      -- first characters of the key, to tell keys apart
    key_sha256   BLOB NOT NULL,      -- the key itself is nowhere
    scopes       TEXT NOT NULL,      -- names with one space between
    created_by   TEXT NOT NULL,      -- credential that made it
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,            -- written at most hourly
    revoked_at   INTEGER,
    CONSTRAINT api_key_sha256_length CHECK (length(key_sha256) = 32)
) STRICT;
CREATE UNIQUE INDEX api_key_sha256_unique ON api_key (key_sha256);
CREATE INDEX api_key_by_tenant ON api_key (tenant, created_at, id);
