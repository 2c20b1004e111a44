-- The index of messages: of each conversation its own, in segments that are merged as they grow, each in buckets of keys.
CREATE TABLE search_blocks (
    conversation VARBINARY(64) NOT NULL,
    segment      BIGINT        NOT NULL,
    bucket       BIGINT        NOT NULL,
    -- Keys, and of each the places of the messages that have it.
    block        MEDIUMBLOB    NOT NULL,
    PRIMARY KEY (conversation, segment, bucket)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- How far each conversation's log is in it, and how many postings its segments have.
CREATE TABLE search_states (
    conversation VARBINARY(64) NOT NULL,
    indexed_seq  BIGINT        NOT NULL,
    -- Of its segments, the smallest kind first; of the largest kind the newest, and how many are before it.
    sizes        VARCHAR(255)  NOT NULL,
    PRIMARY KEY (conversation)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
