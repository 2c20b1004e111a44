//! One database on a server: opened, checked, and its connections.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;

use super::failure::{self, Stage};
use super::pool::Pool;
use super::version::{check_version, is_mariadb, variable};
use super::{MySqlOptions, Session, connect, owner, row, schema};
use crate::Durability;
use crate::error::{Error, Result};

/// The pool of one database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Server {
    pool: Pool,
    durability: Arc<Durability>,
}

impl Server {
    /// Connects, and checks the server's version, the schema and what a commit is worth. Changes nothing.
    pub(crate) async fn open(options: &MySqlOptions) -> Result<Self> {
        let mut conn = connect::connect(options, true).await?;
        check_version(&mut conn, options).await?;
        schema::check(&mut conn, options).await?;
        let durability = read_durability(&mut conn).await?;
        if durability.safe {
            tracing::debug!(durability = %durability.summary, "commits reach the disk before they are acknowledged");
        } else {
            tracing::warn!(
                durability = %durability.summary,
                "an acknowledged message is NOT safe: set innodb_flush_log_at_trx_commit=1 and innodb_doublewrite=ON, \
                 and with the binary log on sync_binlog=1"
            );
        }
        Ok(Self {
            pool: Pool::new(options.clone()),
            durability: Arc::new(durability),
        })
    }

    pub(crate) fn durability(&self) -> Durability {
        Durability::clone(&self.durability)
    }

    /// Why a write failed just now, where it was the server's disk that failed.
    pub(crate) fn disk_failure(&self) -> Option<String> {
        self.pool.disk().failing()
    }

    pub(crate) async fn reader(&self, limit: Duration) -> Result<Session> {
        Session::reader(&self.pool, limit).await
    }

    pub(crate) async fn alone(&self) -> Result<Session> {
        Session::alone(&self.pool).await
    }

    pub(crate) async fn begin(&self) -> Result<Session> {
        Session::begin(&self.pool).await
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// Transactions of one owner, on a connection that others can end by the owner's name.
    pub(crate) fn of_owner(&self, owner: &str) -> Self {
        Self {
            pool: self.pool.of_owner(owner),
            durability: Arc::clone(&self.durability),
        }
    }

    /// Ends the connection of [`Self::of_owner`] of this owner, wherever it is, so that what it had locked is free.
    pub(crate) async fn disconnect(&self, owner: &str) -> Result<bool> {
        let mut live = self.pool.acquire().await?;
        let ended = owner::disconnect(&mut live.conn, owner).await?;
        live.give_back();
        Ok(ended)
    }
}

async fn read_durability(conn: &mut MySqlConnection) -> Result<Durability> {
    let sql = "SELECT @@innodb_flush_log_at_trx_commit, @@sync_binlog, @@log_bin, \
               CAST(@@innodb_doublewrite AS CHAR)";
    let read = sqlx::query(sql).fetch_one(&mut *conn).await;
    let found = read.map_err(|e| failure::of_statement(&e, Stage::Open, sql))?;
    let number = |column| row::int(&found, column).map(Option::unwrap_or_default);
    let (flush, sync, logs) = (number(0)?, number(1)?, number(2)? != 0);
    let doublewrite: String = found.try_get_unchecked(3).map_err(Error::from)?;
    let doublewrite = !matches!(doublewrite.as_str(), "0" | "OFF");
    let version = variable(conn, "SELECT VERSION()").await?;
    Ok(judge(&version, flush, sync, logs, doublewrite))
}

/// What these settings make of a commit.
fn judge(version: &str, flush: i64, sync: i64, logs: bool, doublewrite: bool) -> Durability {
    let product = if is_mariadb(version) {
        "MariaDB"
    } else {
        "MySQL"
    };
    let version = version.split('-').next().unwrap_or_default();
    let binlog = if logs { "" } else { " (binary log off)" };
    let torn = if doublewrite {
        ""
    } else {
        ", innodb_doublewrite=OFF"
    };
    Durability {
        summary: format!(
            "{product} {version}, innodb_flush_log_at_trx_commit={flush}, sync_binlog={sync}{binlog}{torn}"
        ),
        // With the binary log on, recovery decides by it which transactions were committed.
        safe: flush == 1 && doublewrite && (!logs || sync == 1),
    }
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn what_a_commit_is_worth() {
        let shown = judge("10.11.19-MariaDB-0+deb12u1", 1, 0, false, true);
        assert_eq!(
            shown.summary,
            "MariaDB 10.11.19, innodb_flush_log_at_trx_commit=1, sync_binlog=0 (binary log off)"
        );
        assert!(shown.safe);
        assert!(judge("8.4.0", 1, 1, true, true).safe);
        assert!(
            !judge("8.4.0", 1, 0, true, true).safe,
            "the binary log decides after a crash"
        );
        assert!(!judge("8.4.0", 2, 1, true, true).safe);
        assert!(!judge("8.4.0", 0, 1, false, true).safe);
        assert!(!judge("8.4.0", 1, 1, true, false).safe, "torn pages");
    }
}
