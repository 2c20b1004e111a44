-- Messages with a file may have no text, which older builds would edit; what they are repeated with is hashed with the file.
-- compatible-from: 11

-- Files that were uploaded.
CREATE TABLE files (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    uploader_id    INTEGER NOT NULL,
    -- Under which it is kept.
    blob_key       TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    mime           TEXT    NOT NULL,
    size           INTEGER NOT NULL,
    -- Of a picture.
    width          INTEGER,
    height         INTEGER,
    thumbnail_mime TEXT,
    thumbnail_size INTEGER,
    -- 0 on its way in, 1 kept, 2 on its way out.
    state          INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    -- Since when no message has it; NULL while one has.
    unused_since   INTEGER
);
CREATE INDEX files_of_uploader ON files (uploader_id, created_at);
CREATE INDEX files_unused ON files (unused_since);

-- Which messages bring it; recalled ones do not.
CREATE TABLE file_uses (
    file_id      INTEGER NOT NULL,
    conversation TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    PRIMARY KEY (file_id, conversation, seq)
) WITHOUT ROWID;
