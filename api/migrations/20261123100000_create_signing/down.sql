DROP TABLE signature;
DROP TABLE signing_key;
DROP TABLE document;
DROP TABLE object;
DROP TABLE session_origin;
DROP TABLE session;
