-- Messages that users have reported to the operators.
CREATE TABLE reports (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id   INTEGER NOT NULL,
    conversation TEXT    NOT NULL,
    reporter_id  INTEGER NOT NULL,
    -- Who wrote the message, and what it said when it was reported.
    author_id    INTEGER NOT NULL,
    content      TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    -- open, handled or dismissed
    state        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    CONSTRAINT reports_once UNIQUE (reporter_id, message_id)
);
CREATE INDEX reports_by_state ON reports (state, id);
