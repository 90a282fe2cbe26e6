DROP INDEX session_sealed;
ALTER TABLE session DROP COLUMN signer_sealed;
ALTER TABLE session DROP COLUMN custody_told;
ALTER TABLE signing_key DROP COLUMN changed_at;
ALTER TABLE signing_key DROP COLUMN changed_code;
ALTER TABLE signing_key DROP COLUMN changed_by;
