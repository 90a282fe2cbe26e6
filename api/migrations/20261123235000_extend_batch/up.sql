-- A large manifest is taken in by several transactions: the batch counts them until the last one sets it to 0, and is no batch
-- for anybody before. -1 while what came of it is removed. Written by whoever takes it in, and by the sentinel.
ALTER TABLE batch ADD COLUMN intake INTEGER NOT NULL DEFAULT 0;
CREATE INDEX batch_not_taken_in ON batch (id) WHERE intake <> 0;
