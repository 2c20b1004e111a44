-- The whole schema, version 1, for MariaDB 10.11+ and MySQL 8. Times are milliseconds since the Unix epoch.
--
-- Keys and identities are VARBINARY: they are compared byte by byte, also the trailing spaces that utf8mb4_bin ignores,
-- as SQLite compares them. What people read is utf8mb4, compared by code point.

CREATE TABLE users (
    id            BIGINT         NOT NULL AUTO_INCREMENT,
    username      VARCHAR(64)    NOT NULL,
    -- The form under which it is unique and looked up (lower case).
    username_key  VARBINARY(512) NOT NULL,
    password_hash VARCHAR(255)   NOT NULL,
    nickname      VARCHAR(255)   NOT NULL,
    avatar        VARCHAR(2048)  NOT NULL DEFAULT '',
    signature     VARCHAR(2048)  NOT NULL DEFAULT '',
    role          VARCHAR(32)    NOT NULL DEFAULT 'user',
    -- Tokens of a lower version no longer work.
    token_version BIGINT         NOT NULL DEFAULT 1,
    banned        BIGINT         NOT NULL DEFAULT 0,
    deleted_at    BIGINT,
    created_at    BIGINT         NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT users_username_key UNIQUE (username_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE contacts (
    user_id    BIGINT        NOT NULL,
    contact_id BIGINT        NOT NULL,
    remark     VARCHAR(2048) NOT NULL DEFAULT '',
    created_at BIGINT        NOT NULL,
    PRIMARY KEY (user_id, contact_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE chat_groups (
    id           BIGINT       NOT NULL AUTO_INCREMENT,
    name         VARCHAR(255) NOT NULL,
    owner_id     BIGINT       NOT NULL,
    announcement TEXT         NOT NULL,
    max_count    BIGINT       NOT NULL,
    created_at   BIGINT       NOT NULL,
    dismissed_at BIGINT,
    PRIMARY KEY (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One row a conversation; its lock is where seq is handed out.
CREATE TABLE conversations (
    conversation VARBINARY(64) NOT NULL,
    -- Rises with every change of membership, roles, mutes or blocks, in that change's transaction.
    version      BIGINT        NOT NULL,
    last_seq     BIGINT        NOT NULL,
    -- The newest message (not event): its seq and time. 0 when there is none.
    message_seq  BIGINT        NOT NULL,
    last_time    BIGINT        NOT NULL,
    PRIMARY KEY (conversation)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE members (
    conversation  VARBINARY(64) NOT NULL,
    user_id       BIGINT        NOT NULL,
    role          BIGINT        NOT NULL DEFAULT 0,
    -- What the member may see: joined_seq ..= left_seq.
    joined_seq    BIGINT        NOT NULL,
    left_seq      BIGINT,
    muted_until   BIGINT        NOT NULL DEFAULT 0,
    delivered_seq BIGINT        NOT NULL,
    read_seq      BIGINT        NOT NULL,
    joined_at     BIGINT        NOT NULL,
    PRIMARY KEY (conversation, user_id),
    KEY members_by_user (user_id, conversation)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- The log of every conversation: messages, recalls, edits and membership, with one dense seq each. Ids rise with time, so
-- the rows are appended; what is read by conversation is found by its unique key.
CREATE TABLE entries (
    -- ms << 12 | partition << 6 | slot
    id           BIGINT        NOT NULL,
    conversation VARBINARY(64) NOT NULL,
    seq          BIGINT        NOT NULL,
    kind         BIGINT        NOT NULL,
    sender_id    BIGINT        NOT NULL,
    -- The client's id of a message; NULL for other entries.
    msg_id       VARBINARY(64),
    content      MEDIUMTEXT    NOT NULL,
    -- What the entry is about: the recalled message's id, or the member's user id.
    target       BIGINT,
    target_seq   BIGINT,
    created_at   BIGINT        NOT NULL,
    recalled_at  BIGINT,
    edited_at    BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT entries_seq UNIQUE (conversation, seq),
    CONSTRAINT entries_msg_id UNIQUE (conversation, sender_id, msg_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Who owns a partition of the incoming messages, and how far it got.
CREATE TABLE partition_leases (
    partition_no   BIGINT        NOT NULL,
    owner          VARBINARY(64) NOT NULL,
    epoch          BIGINT        NOT NULL,
    expires_at     BIGINT        NOT NULL,
    -- Which stream the position belongs to: its creation time.
    stream_created BIGINT        NOT NULL,
    stream_pos     BIGINT        NOT NULL,
    pushed_id      BIGINT        NOT NULL,
    last_id        BIGINT        NOT NULL,
    PRIMARY KEY (partition_no)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Numbers handed out in blocks.
CREATE TABLE counters (
    name  VARBINARY(64) NOT NULL,
    value BIGINT        NOT NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Fixed when the system is installed.
CREATE TABLE settings (
    name  VARBINARY(64) NOT NULL,
    value VARCHAR(2048) NOT NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- One question to the assistant. Its id rises with time (UUID version 7).
CREATE TABLE runs (
    id                VARBINARY(64)  NOT NULL,
    user_id           BIGINT         NOT NULL,
    kind              VARCHAR(32)    NOT NULL,
    lane              VARCHAR(64)    NOT NULL,
    -- The conversation that the answer goes to, for @AI in a chat.
    conversation      VARBINARY(64),
    input             MEDIUMTEXT     NOT NULL,
    idempotency_key   VARBINARY(128),
    state             VARCHAR(32)    NOT NULL,
    -- Rises with every claim: the fence of everything that a worker commits for the run.
    attempt           BIGINT         NOT NULL DEFAULT 0,
    -- Attempts that ended without an outcome: the worker died or gave up. Five end the run.
    failures          BIGINT         NOT NULL DEFAULT 0,
    -- The high half of its event ids.
    generation        BIGINT         NOT NULL DEFAULT 1,
    worker            VARBINARY(128),
    lease_expires_at  BIGINT         NOT NULL DEFAULT 0,
    deadline_at       BIGINT         NOT NULL,
    stop_requested_at BIGINT,
    error_code        VARCHAR(64),
    error_message     VARCHAR(2048),
    answer            MEDIUMTEXT,
    prompt_tokens     BIGINT         NOT NULL DEFAULT 0,
    completion_tokens BIGINT         NOT NULL DEFAULT 0,
    created_at        BIGINT         NOT NULL,
    finished_at       BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT runs_idempotency_key UNIQUE (user_id, idempotency_key),
    KEY runs_unfinished (finished_at, lease_expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What a run committed, step by step: model turns and tool results, with the events that clients saw of them.
CREATE TABLE run_steps (
    run_id     VARBINARY(64) NOT NULL,
    step       BIGINT        NOT NULL,
    -- 'start', 'model', 'tool' or 'end'
    kind       VARCHAR(32)   NOT NULL,
    generation BIGINT        NOT NULL,
    -- Where the stream stood behind this step.
    position   BIGINT        NOT NULL,
    -- JSON: the model's turn or the tool's outcome.
    body       LONGTEXT      NOT NULL,
    -- JSON: [[event id, event], …]
    events     LONGTEXT      NOT NULL,
    created_at BIGINT        NOT NULL,
    PRIMARY KEY (run_id, step)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What a tool call did, written in the transaction that did it: it is never done again.
CREATE TABLE run_effects (
    run_id     VARBINARY(64) NOT NULL,
    step       BIGINT        NOT NULL,
    ordinal    BIGINT        NOT NULL,
    outcome    LONGTEXT      NOT NULL,
    created_at BIGINT        NOT NULL,
    PRIMARY KEY (run_id, step, ordinal)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
