-- The chat workers that are alive, so that each can tell what its fair share of the partitions is.
CREATE TABLE chat_workers (
    owner      TEXT    NOT NULL PRIMARY KEY,
    -- By the database's clock.
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
