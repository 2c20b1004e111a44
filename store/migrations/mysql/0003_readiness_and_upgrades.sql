-- From which build on each migration's schema can be used; written by whoever applies one, read by older builds.
CREATE TABLE schema_compatibility (
    version         BIGINT NOT NULL,
    compatible_from BIGINT NOT NULL,
    PRIMARY KEY (version)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Written to prove that the database takes writes.
CREATE TABLE write_checks (
    name       VARBINARY(64) NOT NULL,
    checked_at BIGINT        NOT NULL,
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
