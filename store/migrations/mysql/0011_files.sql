-- Messages with a file may have no text, which older builds would edit; what they are repeated with is hashed with the file.
-- compatible-from: 11

-- Files that were uploaded.
CREATE TABLE files (
    id             BIGINT        NOT NULL AUTO_INCREMENT PRIMARY KEY,
    uploader_id    BIGINT        NOT NULL,
    -- Under which it is kept.
    blob_key       VARBINARY(64) NOT NULL,
    name           TEXT          NOT NULL,
    mime           VARBINARY(128) NOT NULL,
    size           BIGINT        NOT NULL,
    -- Of a picture.
    width          BIGINT,
    height         BIGINT,
    thumbnail_mime VARBINARY(128),
    thumbnail_size BIGINT,
    -- 0 on its way in, 1 kept, 2 on its way out.
    state          BIGINT        NOT NULL DEFAULT 0,
    created_at     BIGINT        NOT NULL,
    -- Since when no message has it; NULL while one has.
    unused_since   BIGINT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX files_of_uploader ON files (uploader_id, created_at);
CREATE INDEX files_unused ON files (unused_since);

-- Which messages bring it; recalled ones do not.
CREATE TABLE file_uses (
    file_id      BIGINT        NOT NULL,
    conversation VARBINARY(64) NOT NULL,
    seq          BIGINT        NOT NULL,
    PRIMARY KEY (file_id, conversation, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
