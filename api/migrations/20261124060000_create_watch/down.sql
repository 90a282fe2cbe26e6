DROP TABLE notice;
DROP TABLE revocation_check;
DROP INDEX api_key_by_end;
DROP INDEX signing_key_by_end;
DROP TABLE seen_certificate;
DROP TABLE validity_step;
