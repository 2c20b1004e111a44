-- The index of messages: of each conversation its own, in segments that are merged as they grow, each in buckets of keys.
CREATE TABLE search_blocks (
    conversation TEXT    NOT NULL,
    segment      INTEGER NOT NULL,
    bucket       INTEGER NOT NULL,
    -- Keys, and of each the places of the messages that have it.
    block        BLOB    NOT NULL,
    PRIMARY KEY (conversation, segment, bucket)
);

-- How far each conversation's log is in it, and how many postings its segments have.
CREATE TABLE search_states (
    conversation TEXT    NOT NULL,
    indexed_seq  INTEGER NOT NULL,
    size_0       INTEGER NOT NULL,
    size_1       INTEGER NOT NULL,
    size_2       INTEGER NOT NULL,
    -- Of the newest segment of the largest kind.
    size_3       INTEGER NOT NULL,
    -- Segments of the largest kind before it.
    sealed       INTEGER NOT NULL,
    PRIMARY KEY (conversation)
) WITHOUT ROWID;
