//! Named locks, by which the connection of a chat worker's commits can be found and ended by its successor.
//!
//! A process that was stopped inside an open transaction keeps the locks of its rows. Its connection holds a lock with its
//! owner's name; whoever takes an expired lease looks the connection up under that name and ends it, which a user may do
//! to connections of its own.

use std::time::{Duration, Instant};

use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Row as _};

use super::failure::{self, Stage};
use crate::error::{Error, Result};

/// At most 64 characters whatever the names are, and different in each database of a server.
const NAME: &str = "CONCAT('lingxi:', LEFT(SHA2(CONCAT(DATABASE(), ':', ?), 256), 40))";
/// The longest wait for a connection that was told to end.
const PATIENCE: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(3);

/// Gives `conn` the name of `owner`. A former connection of the same owner that still has it is ended: it is our own.
pub(super) async fn take_name(conn: &mut MySqlConnection, owner: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if one(conn, &format!("SELECT GET_LOCK({NAME}, 0)"), owner).await? == Some(1) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::away(
                "a former connection of this owner does not end",
            ));
        }
        disconnect(conn, owner).await?;
    }
}

/// Ends the connection that has the name of `owner`, if there is one, and waits until its locks are free. Answers whether
/// there was one.
pub(super) async fn disconnect(conn: &mut MySqlConnection, owner: &str) -> Result<bool> {
    let used = format!("SELECT CAST(IS_USED_LOCK({NAME}) AS SIGNED)");
    let Some(id) = one(conn, &used, owner).await? else {
        return Ok(false);
    };
    let kill = sqlx::raw_sql(AssertSqlSafe(format!("KILL CONNECTION {id}"))).execute(&mut *conn);
    match tokio::time::timeout(LONGEST, kill).await {
        // 1094: it has ended meanwhile.
        Ok(Err(error)) if failure::number(&error) != Some(1094) => {
            return Err(failure::of_statement(&error, Stage::Open, "KILL"));
        }
        Err(_) => return Err(Error::away("KILL got no answer")),
        Ok(_) => {}
    }
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline && one(conn, &used, owner).await? == Some(id) {
        tokio::time::sleep(STEP).await;
    }
    Ok(true)
}

async fn one(conn: &mut MySqlConnection, sql: &str, owner: &str) -> Result<Option<i64>> {
    let query = sqlx::query(AssertSqlSafe(sql.to_owned())).bind(owner);
    let row = tokio::time::timeout(LONGEST, query.fetch_one(conn))
        .await
        .map_err(|_| Error::away(format!("a statement got no answer within {LONGEST:?}")))?
        .map_err(|error| failure::of_statement(&error, Stage::Open, sql))?;
    if row.is_empty() {
        return Ok(None);
    }
    super::row::int(&row, 0)
}
