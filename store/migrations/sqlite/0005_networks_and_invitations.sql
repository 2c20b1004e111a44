-- From where a user has logged in: not locked out by what others do elsewhere. `network` is a keyed hash of it.
CREATE TABLE known_networks (
    user_id INTEGER NOT NULL,
    network TEXT    NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, network)
) WITHOUT ROWID;

-- What users have chosen; who has no row has the defaults.
CREATE TABLE user_settings (
    user_id        INTEGER NOT NULL PRIMARY KEY,
    -- Who may take the user into a group: 0 everyone, 1 the user's contacts, 2 nobody.
    who_may_invite INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
