-- The gateways that are alive: workers send events to these alone.
CREATE TABLE gateways (
    node       TEXT    NOT NULL PRIMARY KEY,
    -- Where the gRPC port is, as host:port.
    address    TEXT    NOT NULL,
    -- By the database's clock.
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- What a user has under way, and the next of what waits.
CREATE INDEX runs_of_user ON runs (user_id, finished_at, created_at);
