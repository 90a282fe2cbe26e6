DROP TABLE cloud_service;
ALTER TABLE cloud_authorization DROP COLUMN signature_id;
