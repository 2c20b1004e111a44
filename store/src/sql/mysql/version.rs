//! Which server it is.

use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;

use super::MySqlOptions;
use super::failure::{self, Stage};
use crate::error::{Error, Result};

/// MariaDB from 10.11, MySQL from 8.0.19 on.
pub(super) async fn check_version(
    conn: &mut MySqlConnection,
    options: &MySqlOptions,
) -> Result<()> {
    let version = variable(conn, "SELECT VERSION()").await?;
    if is_supported(&version) {
        return Ok(());
    }
    Err(Error::Setup(format!(
        "{}:{} runs {version}, which is too old: use MariaDB 10.11 or MySQL 8.0.19 or newer",
        options.host, options.port
    )))
}

pub(super) fn is_mariadb(version: &str) -> bool {
    version.contains("MariaDB")
}

fn is_supported(version: &str) -> bool {
    // MariaDB may put 5.5.5- in front, for old replicas.
    let plain = version.strip_prefix("5.5.5-").unwrap_or(version);
    let mut numbers = plain
        .split(['.', '-', '+'])
        .map(|n| n.parse::<u32>().unwrap_or(0));
    let found: [u32; 3] = std::array::from_fn(|_| numbers.next().unwrap_or(0));
    found
        >= if is_mariadb(version) {
            [10, 11, 0]
        } else {
            [8, 0, 19]
        }
}

/// What a query that has one row of one column answers.
pub(super) async fn variable(conn: &mut MySqlConnection, sql: &'static str) -> Result<String> {
    let read = sqlx::query(sql).fetch_one(conn).await;
    let found = read.map_err(|e| failure::of_statement(&e, Stage::Open, sql))?;
    Ok(found.try_get_unchecked(0)?)
}

#[cfg(test)]
mod tests {
    use super::is_supported;

    #[test]
    fn old_servers_are_refused() {
        for new in [
            "10.11.19-MariaDB-0+deb12u1",
            "5.5.5-10.11.2-MariaDB",
            "11.4.2-MariaDB",
            "8.0.19",
            "8.4.0",
            "9.1.0-commercial",
        ] {
            assert!(is_supported(new), "{new}");
        }
        for old in [
            "10.6.18-MariaDB",
            "5.5.5-10.5.2-MariaDB-log",
            "8.0.18",
            "5.7.44-log",
            "",
        ] {
            assert!(!is_supported(old), "{old}");
        }
    }
}
