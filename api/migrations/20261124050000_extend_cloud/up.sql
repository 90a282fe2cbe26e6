-- Which signature a permission at a cloud service was used for, and which services are away.

-- Of the last call that may have reached the key; no reference, so that neither row waits for the other. Written by the engine.
ALTER TABLE cloud_authorization ADD COLUMN signature_id TEXT;

-- Whether each service of the configuration is away, as it was last told. Written by the engine.
CREATE TABLE cloud_service (
    name              TEXT PRIMARY KEY,
    unavailable_since INTEGER -- milliseconds since 1970 in UTC; NULL while it answers
) STRICT;
