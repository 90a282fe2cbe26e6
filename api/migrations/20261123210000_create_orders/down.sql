-- Signatures stay; that they belonged to orders is lost.
DROP INDEX signature_once_per_participant;
DROP INDEX signature_by_order;
ALTER TABLE signature DROP COLUMN base_size_bytes;
ALTER TABLE signature DROP COLUMN base_parts;
ALTER TABLE signature DROP COLUMN base_revision;
ALTER TABLE signature DROP COLUMN participant_id;
ALTER TABLE signature DROP COLUMN order_id;
ALTER TABLE session DROP COLUMN participant_id;
ALTER TABLE session DROP COLUMN order_id;
DROP TABLE order_reminder;
DROP TABLE participant;
DROP TABLE order_document;
DROP TABLE signing_order;
