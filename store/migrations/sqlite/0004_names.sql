-- Names by their keys: look-alikes are refused, and a search reads an index. Every column is filled by the program, which
-- knows Unicode; NULL where it was not yet.

-- What is left of username_key when everything that looks alike is one (UTS 39).
ALTER TABLE users ADD COLUMN username_skeleton TEXT;
-- The nickname as it is searched: folded.
ALTER TABLE users ADD COLUMN nickname_key TEXT;
CREATE INDEX users_by_skeleton ON users (username_skeleton);

-- The name as it is searched: folded.
ALTER TABLE chat_groups ADD COLUMN name_key TEXT;
CREATE INDEX groups_by_name_key ON chat_groups (name_key);

-- What begins at each letter of a folded name, so that whoever contains a keyword is found by a range.
CREATE TABLE name_parts (
    -- 1: a user's names, 2: a group's
    kind   INTEGER NOT NULL,
    -- 0: begins a word, 1: inside one
    inside INTEGER NOT NULL,
    part   TEXT    NOT NULL,
    id     INTEGER NOT NULL,
    PRIMARY KEY (kind, inside, part, id)
) WITHOUT ROWID;
