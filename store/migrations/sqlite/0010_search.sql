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
    -- Of its segments, the smallest kind first; of the largest kind the newest, and how many are before it.
    sizes        TEXT    NOT NULL,
    PRIMARY KEY (conversation)
) WITHOUT ROWID;
