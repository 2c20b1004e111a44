-- From which build on each migration's schema can be used; written by whoever applies one, read by older builds.
CREATE TABLE schema_compatibility (
    version         INTEGER NOT NULL PRIMARY KEY,
    compatible_from INTEGER NOT NULL
) WITHOUT ROWID;

-- Written to prove that the database takes writes.
CREATE TABLE write_checks (
    name       TEXT    NOT NULL PRIMARY KEY,
    checked_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Old runs are found to be removed.
CREATE INDEX runs_finished ON runs (finished_at) WHERE finished_at IS NOT NULL;
