ALTER TABLE delivery DROP COLUMN waits_since;
