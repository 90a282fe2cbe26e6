-- Since when a delivery waits for its next attempt: a clock that was set back since then does not make it wait longer.
ALTER TABLE delivery ADD COLUMN waits_since INTEGER NOT NULL DEFAULT 0;
