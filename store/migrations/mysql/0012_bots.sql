-- Programs that take part in conversations, and where they want to be told of messages.
CREATE TABLE bots (
    user_id     BIGINT         NOT NULL,
    created_at  BIGINT         NOT NULL,
    -- The webhook: NULL where there is none.
    url         VARCHAR(2048),
    secret      VARCHAR(255),
    -- When its server said that it wants no more (410).
    disabled_at BIGINT,
    -- Rises with every change of the webhook.
    version     BIGINT         NOT NULL DEFAULT 0,
    -- Who delivers, until when by the database's clock; the epoch rises with every change of owner.
    owner       VARBINARY(64)  NOT NULL DEFAULT '',
    epoch       BIGINT         NOT NULL DEFAULT 0,
    expires_at  BIGINT         NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
INSERT INTO bots (user_id, created_at) SELECT id, created_at FROM users WHERE role = 'bot';

-- How far a bot's webhook was told of a conversation; where there is no row, nothing of it.
CREATE TABLE webhook_cursors (
    bot_id       BIGINT        NOT NULL,
    conversation VARBINARY(64) NOT NULL,
    seq          BIGINT        NOT NULL,
    -- Failed attempts of the entry right behind it, and when the next one is due.
    attempts     BIGINT        NOT NULL DEFAULT 0,
    retry_at     BIGINT        NOT NULL DEFAULT 0,
    PRIMARY KEY (bot_id, conversation)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Deliveries that did not succeed at once.
CREATE TABLE webhook_deliveries (
    bot_id       BIGINT        NOT NULL,
    message_id   BIGINT        NOT NULL,
    conversation VARBINARY(64) NOT NULL,
    seq          BIGINT        NOT NULL,
    -- 'queued', 'done', 'failed' or 'dead'
    state        VARBINARY(16) NOT NULL,
    -- 1 where the conversation waits for it: its cursor stands right before it.
    held         BIGINT        NOT NULL DEFAULT 0,
    attempts     BIGINT        NOT NULL,
    due_at       BIGINT        NOT NULL,
    last_status  BIGINT,
    last_error   VARCHAR(1024),
    created_at   BIGINT        NOT NULL,
    updated_at   BIGINT        NOT NULL,
    PRIMARY KEY (bot_id, message_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (bot_id, state, held, due_at);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (state, updated_at);
