-- The older version would take half a batch for a whole one.
DELETE FROM signature WHERE batch_id IN (SELECT id FROM batch WHERE intake <> 0);
DELETE FROM batch WHERE intake <> 0;
DROP INDEX batch_not_taken_in;
ALTER TABLE batch DROP COLUMN intake;
