-- From where a user has logged in: not locked out by what others do elsewhere. `network` is a keyed hash of it.
CREATE TABLE known_networks (
    user_id BIGINT        NOT NULL,
    network VARBINARY(64) NOT NULL,
    seen_at BIGINT        NOT NULL,
    PRIMARY KEY (user_id, network)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- What users have chosen; who has no row has the defaults.
CREATE TABLE user_settings (
    user_id        BIGINT NOT NULL,
    -- Who may take the user into a group: 0 everyone, 1 the user's contacts, 2 nobody.
    who_may_invite BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
