-- Entries of new kinds are written from here on, which older builds cannot read.
-- compatible-from: 8

-- What an entry says beside its text: a JSON object. NULL where there is nothing.
ALTER TABLE entries ADD COLUMN detail TEXT NULL, ALGORITHM=INSTANT;

-- How one joins: 0 freely, 1 with the approval of an administrator, 2 by invitation only.
ALTER TABLE chat_groups ADD COLUMN join_policy BIGINT NOT NULL DEFAULT 0;
-- Who invites: 0 all members, 1 the owner and administrators.
ALTER TABLE chat_groups ADD COLUMN invite_policy BIGINT NOT NULL DEFAULT 0;

-- Of a private conversation: 1 where the user of the lower id blocks the other, 2 the other way round, 3 both.
ALTER TABLE conversations ADD COLUMN blocked_by BIGINT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;

-- Who waits to be let into a group.
CREATE TABLE join_requests (
    group_id   BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Whoever knows the code joins.
CREATE TABLE invite_links (
    code       VARBINARY(64) NOT NULL,
    group_id   BIGINT        NOT NULL,
    created_by BIGINT        NOT NULL,
    created_at BIGINT        NOT NULL,
    -- NULL: it does not expire.
    expires_at BIGINT,
    -- NULL: any number of people.
    max_uses   BIGINT,
    uses       BIGINT        NOT NULL DEFAULT 0,
    PRIMARY KEY (code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
CREATE INDEX invite_links_of_group ON invite_links (group_id);

-- Whom users block.
CREATE TABLE blocks (
    user_id    BIGINT NOT NULL,
    blocked_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, blocked_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
