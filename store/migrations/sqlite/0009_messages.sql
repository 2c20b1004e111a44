-- compatible-from: 9

-- The place of the last edit of a message: its text is what was said up to there, and nobody sees it who left before.
ALTER TABLE entries ADD COLUMN edited_seq INTEGER;

-- Who reacted to a message with what.
CREATE TABLE reactions (
    message_id INTEGER NOT NULL,
    emoji      TEXT    NOT NULL,
    user_id    INTEGER NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
) WITHOUT ROWID;

-- How many did, so that a page of history counts nothing.
CREATE TABLE reaction_counts (
    message_id INTEGER NOT NULL,
    emoji      TEXT    NOT NULL,
    count      INTEGER NOT NULL,
    -- The place of the first one: they are shown in this order.
    first_seq  INTEGER NOT NULL,
    PRIMARY KEY (message_id, emoji)
) WITHOUT ROWID;

-- Messages that a group keeps in sight.
CREATE TABLE pins (
    conversation TEXT    NOT NULL,
    message_id   INTEGER NOT NULL,
    -- The place of the entry of it: they are shown in this order, the newest first.
    pinned_seq   INTEGER NOT NULL,
    PRIMARY KEY (conversation, message_id)
) WITHOUT ROWID;

-- Where users are mentioned; under the id 0, where all members are.
CREATE TABLE mentions (
    conversation TEXT    NOT NULL,
    user_id      INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    sender_id    INTEGER NOT NULL,
    PRIMARY KEY (conversation, user_id, seq)
) WITHOUT ROWID;

-- Until when the member wants no notifications of the conversation.
ALTER TABLE members ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;
