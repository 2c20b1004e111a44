-- compatible-from: 9

-- The place of the last edit of a message: its text is what was said up to there, and nobody sees it who left before.
ALTER TABLE entries ADD COLUMN edited_seq BIGINT NULL, ALGORITHM=INSTANT;

-- Who reacted to a message with what.
CREATE TABLE reactions (
    message_id BIGINT        NOT NULL,
    emoji      VARBINARY(64) NOT NULL,
    user_id    BIGINT        NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- How many did, so that a page of history counts nothing.
CREATE TABLE reaction_counts (
    message_id BIGINT        NOT NULL,
    emoji      VARBINARY(64) NOT NULL,
    count      BIGINT        NOT NULL,
    -- The place of the first one: they are shown in this order.
    first_seq  BIGINT        NOT NULL,
    PRIMARY KEY (message_id, emoji)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Messages that a group keeps in sight.
CREATE TABLE pins (
    conversation VARBINARY(64) NOT NULL,
    message_id   BIGINT        NOT NULL,
    -- The place of the entry of it: they are shown in this order, the newest first.
    pinned_seq   BIGINT        NOT NULL,
    PRIMARY KEY (conversation, message_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Where users are mentioned; under the id 0, where all members are.
CREATE TABLE mentions (
    conversation VARBINARY(64) NOT NULL,
    user_id      BIGINT        NOT NULL,
    seq          BIGINT        NOT NULL,
    sender_id    BIGINT        NOT NULL,
    PRIMARY KEY (conversation, user_id, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Until when the member wants no notifications of the conversation.
ALTER TABLE members ADD COLUMN quiet_until BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;
