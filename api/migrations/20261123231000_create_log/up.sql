-- The public log: where it stands, its tree of receipts (RFC 6962), and what was signed about it. Written by the relay.

-- One row. Whoever holds its lock is the relay: there is never more than one.
CREATE TABLE log (
    id     INTEGER PRIMARY KEY,
    events INTEGER NOT NULL,         -- that have a sequence; the next one is one more
    leaves INTEGER NOT NULL,         -- of the tree
    peaks  BLOB,                     -- hashes of the complete subtrees that the tree consists of, largest first
    key    TEXT,                     -- public key of the checkpoints, as `name+id+key`; set at the first start
    CONSTRAINT log_is_one CHECK (id = 1)
) STRICT;
INSERT INTO log (id, events, leaves) VALUES (1, 0, 0);

-- Hashes of the tree, 256 to a row. Level 0 are the leaves, level 1 complete subtrees of 256 leaves, level 2 of 65 536, …
CREATE TABLE log_tile (
    level  INTEGER NOT NULL,
    tile   INTEGER NOT NULL,
    hashes BLOB NOT NULL,            -- 32 bytes each; only the last tile of a level is not full
    CONSTRAINT log_tile_key PRIMARY KEY (level, tile)
) STRICT, WITHOUT ROWID;

-- Signed notes about the tree.
CREATE TABLE checkpoint (
    size      INTEGER PRIMARY KEY,   -- leaves
    note      TEXT NOT NULL,
    signed_at INTEGER NOT NULL
) STRICT;
