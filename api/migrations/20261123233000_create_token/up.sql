-- Signing tokens as all workers see them together. Written by the engine, with the events that tell of them.

CREATE TABLE token (
    label             TEXT PRIMARY KEY,
    unavailable_since INTEGER         -- NULL while a worker is answered
) STRICT;

ALTER TABLE worker ADD COLUMN token TEXT; -- label of the token that answers it; NULL while none does
