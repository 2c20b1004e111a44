-- The gateways that are alive: workers send events to these alone.
CREATE TABLE gateways (
    node       VARBINARY(64) NOT NULL,
    -- Where the gRPC port is, as host:port.
    address    VARCHAR(512)  NOT NULL,
    -- By the database's clock.
    expires_at BIGINT        NOT NULL,
    PRIMARY KEY (node)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What a user has under way, and the next of what waits.
CREATE INDEX runs_of_user ON runs (user_id, finished_at, created_at);
