-- Entries of new kinds are written from here on, which older builds cannot read.
-- compatible-from: 8

-- What an entry says beside its text: a JSON object. NULL where there is nothing.
ALTER TABLE entries ADD COLUMN detail TEXT;

-- How one joins: 0 freely, 1 with the approval of an administrator, 2 by invitation only.
ALTER TABLE chat_groups ADD COLUMN join_policy INTEGER NOT NULL DEFAULT 0;
-- Who invites: 0 all members, 1 the owner and administrators.
ALTER TABLE chat_groups ADD COLUMN invite_policy INTEGER NOT NULL DEFAULT 0;

-- Of a private conversation: 1 where the user of the lower id blocks the other, 2 the other way round, 3 both.
ALTER TABLE conversations ADD COLUMN blocked_by INTEGER NOT NULL DEFAULT 0;

-- Who waits to be let into a group.
CREATE TABLE join_requests (
    group_id   INTEGER NOT NULL,
    user_id    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (group_id, user_id)
) WITHOUT ROWID;

-- Whoever knows the code joins.
CREATE TABLE invite_links (
    code       TEXT    NOT NULL PRIMARY KEY,
    group_id   INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- NULL: it does not expire.
    expires_at INTEGER,
    -- NULL: any number of people.
    max_uses   INTEGER,
    uses       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX invite_links_of_group ON invite_links (group_id);

-- Whom users block.
CREATE TABLE blocks (
    user_id    INTEGER NOT NULL,
    blocked_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, blocked_id)
) WITHOUT ROWID;
