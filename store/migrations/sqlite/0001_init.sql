-- The whole schema, version 1. Times are milliseconds since the Unix epoch.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    username      TEXT    NOT NULL,
    -- The form under which it is unique and looked up (lower case).
    username_key  TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    nickname      TEXT    NOT NULL,
    avatar        TEXT    NOT NULL DEFAULT '',
    signature     TEXT    NOT NULL DEFAULT '',
    role          TEXT    NOT NULL DEFAULT 'user',
    -- Tokens of a lower version no longer work.
    token_version INTEGER NOT NULL DEFAULT 1,
    banned        INTEGER NOT NULL DEFAULT 0,
    deleted_at    INTEGER,
    created_at    INTEGER NOT NULL,
    CONSTRAINT users_username_key UNIQUE (username_key)
);

CREATE TABLE contacts (
    user_id    INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    remark     TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, contact_id)
) WITHOUT ROWID;

CREATE TABLE chat_groups (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL,
    owner_id     INTEGER NOT NULL,
    announcement TEXT    NOT NULL DEFAULT '',
    max_count    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    dismissed_at INTEGER
);

-- One row a conversation; its lock is where seq is handed out.
CREATE TABLE conversations (
    conversation TEXT    NOT NULL PRIMARY KEY,
    -- Rises with every change of membership, roles, mutes or blocks, in that change's transaction.
    version      INTEGER NOT NULL,
    last_seq     INTEGER NOT NULL,
    -- The newest message (not event): its seq and time. 0 when there is none.
    message_seq  INTEGER NOT NULL,
    last_time    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE members (
    conversation  TEXT    NOT NULL,
    user_id       INTEGER NOT NULL,
    role          INTEGER NOT NULL DEFAULT 0,
    -- What the member may see: joined_seq ..= left_seq.
    joined_seq    INTEGER NOT NULL,
    left_seq      INTEGER,
    muted_until   INTEGER NOT NULL DEFAULT 0,
    delivered_seq INTEGER NOT NULL,
    read_seq      INTEGER NOT NULL,
    joined_at     INTEGER NOT NULL,
    PRIMARY KEY (conversation, user_id)
) WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id, conversation);

-- The log of every conversation: messages, recalls, edits and membership, with one dense seq each.
CREATE TABLE entries (
    -- ms << 12 | partition << 6 | slot
    id           INTEGER PRIMARY KEY,
    conversation TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    kind         INTEGER NOT NULL,
    sender_id    INTEGER NOT NULL,
    -- The client's id of a message; NULL for other entries.
    msg_id       TEXT,
    content      TEXT    NOT NULL,
    -- What the entry is about: the recalled message's id, or the member's user id.
    target       INTEGER,
    target_seq   INTEGER,
    created_at   INTEGER NOT NULL,
    recalled_at  INTEGER,
    edited_at    INTEGER,
    CONSTRAINT entries_seq UNIQUE (conversation, seq),
    CONSTRAINT entries_msg_id UNIQUE (conversation, sender_id, msg_id)
);

-- Who owns a partition of the incoming messages, and how far it got.
CREATE TABLE partition_leases (
    partition_no   INTEGER PRIMARY KEY,
    owner          TEXT    NOT NULL,
    epoch          INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    -- Which stream the position belongs to: its creation time.
    stream_created INTEGER NOT NULL,
    stream_pos     INTEGER NOT NULL,
    pushed_id      INTEGER NOT NULL,
    last_id        INTEGER NOT NULL
);

-- Numbers handed out in blocks.
CREATE TABLE counters (
    name  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- Fixed when the system is installed.
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- One question to the assistant.
CREATE TABLE runs (
    id                TEXT    NOT NULL PRIMARY KEY,
    user_id           INTEGER NOT NULL,
    kind              TEXT    NOT NULL,
    lane              TEXT    NOT NULL,
    -- The conversation that the answer goes to, for @AI in a chat.
    conversation      TEXT,
    input             TEXT    NOT NULL,
    idempotency_key   TEXT,
    state             TEXT    NOT NULL,
    -- Rises with every claim: the fence of everything that a worker commits for the run.
    attempt           INTEGER NOT NULL DEFAULT 0,
    -- Attempts that ended without an outcome: the worker died or gave up. Five end the run.
    failures          INTEGER NOT NULL DEFAULT 0,
    -- The high half of its event ids.
    generation        INTEGER NOT NULL DEFAULT 1,
    worker            TEXT,
    lease_expires_at  INTEGER NOT NULL DEFAULT 0,
    deadline_at       INTEGER NOT NULL,
    stop_requested_at INTEGER,
    error_code        TEXT,
    error_message     TEXT,
    answer            TEXT,
    prompt_tokens     INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    created_at        INTEGER NOT NULL,
    finished_at       INTEGER,
    CONSTRAINT runs_idempotency_key UNIQUE (user_id, idempotency_key)
);
CREATE INDEX runs_unfinished ON runs (lease_expires_at) WHERE finished_at IS NULL;

-- What a run committed, step by step: model turns and tool results, with the events that clients saw of them.
CREATE TABLE run_steps (
    run_id     TEXT    NOT NULL,
    step       INTEGER NOT NULL,
    -- 'start', 'model', 'tool' or 'end'
    kind       TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    -- Where the stream stood behind this step.
    position   INTEGER NOT NULL,
    -- JSON: the model's turn or the tool's outcome.
    body       TEXT    NOT NULL,
    -- JSON: [[event id, event], …]
    events     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (run_id, step)
) WITHOUT ROWID;

-- What a tool call did, written in the transaction that did it: it is never done again.
CREATE TABLE run_effects (
    run_id     TEXT    NOT NULL,
    step       INTEGER NOT NULL,
    ordinal    INTEGER NOT NULL,
    outcome    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (run_id, step, ordinal)
) WITHOUT ROWID;
