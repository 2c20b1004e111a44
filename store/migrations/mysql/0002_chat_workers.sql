-- The chat workers that are alive, so that each can tell what its fair share of the partitions is.
CREATE TABLE chat_workers (
    owner      VARBINARY(64) NOT NULL,
    -- By the database's clock.
    expires_at BIGINT        NOT NULL,
    PRIMARY KEY (owner)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
