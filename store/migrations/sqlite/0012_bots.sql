-- Programs that take part in conversations, and where they want to be told of messages.
CREATE TABLE bots (
    user_id     INTEGER NOT NULL PRIMARY KEY,
    created_at  INTEGER NOT NULL,
    -- The webhook: NULL where there is none.
    url         TEXT,
    secret      TEXT,
    -- When its server said that it wants no more (410).
    disabled_at INTEGER,
    -- Rises with every change of the webhook.
    version     INTEGER NOT NULL DEFAULT 0,
    -- Who delivers, until when by the database's clock; the epoch rises with every change of owner.
    owner       TEXT    NOT NULL DEFAULT '',
    epoch       INTEGER NOT NULL DEFAULT 0,
    expires_at  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT INTO bots (user_id, created_at) SELECT id, created_at FROM users WHERE role = 'bot';

-- How far a bot's webhook was told of a conversation; where there is no row, nothing of it.
CREATE TABLE webhook_cursors (
    bot_id       INTEGER NOT NULL,
    conversation TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    -- Failed attempts of the entry right behind it, and when the next one is due.
    attempts     INTEGER NOT NULL DEFAULT 0,
    retry_at     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (bot_id, conversation)
) WITHOUT ROWID;

-- Deliveries that did not succeed at once.
CREATE TABLE webhook_deliveries (
    bot_id       INTEGER NOT NULL,
    message_id   INTEGER NOT NULL,
    conversation TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    -- 'queued', 'done', 'failed' or 'dead'
    state        TEXT    NOT NULL,
    -- 1 where the conversation waits for it: its cursor stands right before it.
    held         INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    last_status  INTEGER,
    last_error   TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (bot_id, message_id)
) WITHOUT ROWID;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (bot_id, state, held, due_at);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (state, updated_at);
