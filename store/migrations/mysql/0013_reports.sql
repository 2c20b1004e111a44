-- Messages that users have reported to the operators.
CREATE TABLE reports (
    id           BIGINT        NOT NULL AUTO_INCREMENT,
    message_id   BIGINT        NOT NULL,
    conversation VARBINARY(64) NOT NULL,
    reporter_id  BIGINT        NOT NULL,
    -- Who wrote the message, and what it said when it was reported.
    author_id    BIGINT        NOT NULL,
    content      MEDIUMTEXT    NOT NULL,
    reason       VARCHAR(2048) NOT NULL,
    -- open, handled or dismissed
    state        VARCHAR(32)   NOT NULL,
    created_at   BIGINT        NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT reports_once UNIQUE (reporter_id, message_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX reports_by_state ON reports (state, id);
