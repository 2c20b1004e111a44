//! Which builds a schema suits, so that a rolling upgrade and a way back need no downtime.
//!
//! A schema is changed in two steps: first it is expanded (tables, columns with a default, indexes), which older builds do
//! not mind, and contracted in a later release, when no old build runs any more. A migration that older builds cannot live
//! with says so in a line of its text, `-- compatible-from: N`: only builds that know migration `N` may use the schema from
//! then on. Without the line it suits whom the one before it suits. Whoever applies a migration records this in the
//! database, where an older build, which does not have the text, reads it.

use sqlx::migrate::Migrator;

use crate::error::{Error, Result};

/// `(version, compatible from)` of migrations, as the database has them.
pub(crate) type Recorded = Vec<(i64, i64)>;

pub(crate) const READ: &str =
    "SELECT version, compatible_from FROM schema_compatibility ORDER BY version";
pub(crate) const RECORD_SQLITE: &str = "INSERT INTO schema_compatibility (version, compatible_from) VALUES (?, ?) \
     ON CONFLICT(version) DO NOTHING";
pub(crate) const RECORD_MYSQL: &str = "INSERT INTO schema_compatibility (version, compatible_from) VALUES (?, ?) \
     ON DUPLICATE KEY UPDATE version = version";

const MARK: &str = "-- compatible-from:";

/// What a database has beside what this build knows.
pub(crate) struct Schema<'a> {
    pub known: &'a Migrator,
    pub applied: &'a [i64],
    pub recorded: Recorded,
}

impl Schema<'_> {
    /// Whether this build can use the database: it knows all migrations, or those that it does not know suit it.
    ///
    /// # Errors
    /// [`Error::Setup`] with what to do.
    pub(crate) fn check(&self, place: &str) -> Result<()> {
        let mine = self.newest_known();
        let unknown = self
            .applied
            .iter()
            .filter(|v| !self.known.version_exists(**v));
        let mut newest = None;
        for &version in unknown {
            let from = self.recorded.iter().find(|(v, _)| *v == version);
            match from {
                Some(&(_, from)) if from <= mine => newest = newest.max(Some(version)),
                Some((_, from)) => {
                    return Err(Error::Setup(format!(
                        "the database {place} has schema {version}, which needs a lingxi that knows schema {from}; \
                         this one knows {mine}: run a newer lingxi"
                    )));
                }
                None => {
                    return Err(Error::Setup(format!(
                        "the database {place} has migration {version}, which this build does not know: run a newer lingxi"
                    )));
                }
            }
        }
        if let Some(version) = newest {
            tracing::warn!(
                database = place,
                schema = version,
                known = mine,
                "the schema is newer than this build and suits it; upgrade when you can"
            );
        }
        Ok(())
    }

    /// The newest migration that was applied and is not known here: what [`Self::check`] found to suit.
    pub(crate) fn newer(&self) -> Option<i64> {
        let unknown = self.applied.iter().copied();
        unknown.filter(|v| !self.known.version_exists(*v)).max()
    }

    /// What the database does not say yet of the migrations that are known here.
    pub(crate) fn unrecorded(&self) -> Recorded {
        let mut all = stated(self.known);
        all.retain(|(version, _)| !self.recorded.iter().any(|(v, _)| v == version));
        all
    }

    fn newest_known(&self) -> i64 {
        self.known.iter().map(|m| m.version).max().unwrap_or(0)
    }
}

/// From which build on each migration's schema can be used.
fn stated(migrations: &Migrator) -> Recorded {
    let mut from = 1;
    let migrations = migrations.iter();
    let stated = migrations.map(|migration| {
        let mut lines = migration.sql.as_str().lines();
        let said = lines.find_map(|line| line.strip_prefix(MARK)?.trim().parse().ok());
        from = said.unwrap_or(from).max(from);
        (migration.version, from)
    });
    stated.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::migrations::SQLITE as MIGRATIONS;

    fn judged(applied: &[i64], recorded: &[(i64, i64)]) -> Result<()> {
        let schema = Schema {
            known: &MIGRATIONS,
            applied,
            recorded: recorded.to_vec(),
        };
        schema.check("x.db")
    }

    #[test]
    fn a_newer_schema_says_whom_it_suits() {
        let mine = MIGRATIONS.iter().map(|m| m.version).max().unwrap();
        let (next, after) = (mine + 1, mine + 2);
        judged(&[1, 2, mine], &[]).unwrap();
        judged(&[1, 2, mine, next], &[(next, 1)]).unwrap();
        judged(&[1, 2, mine, next, after], &[(next, 1), (after, mine)]).unwrap();
        for (recorded, what) in [
            (vec![(next, 1), (after, next)], "run a newer lingxi"),
            (vec![(next, next), (after, 1)], "run a newer lingxi"),
            (vec![(next, 1)], "does not know"),
        ] {
            let refused = judged(&[1, 2, mine, next, after], &recorded).unwrap_err();
            let text = refused.to_string();
            assert!(text.contains(what) && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn what_a_migration_says_holds_for_those_after_it() {
        assert!(
            stated(&MIGRATIONS)
                .iter()
                .all(|&(version, from)| from <= version)
        );
        assert_eq!(stated(&MIGRATIONS)[0], (1, 1));
    }
}
