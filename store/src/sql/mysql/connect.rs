//! Making a connection, and what every session is set to.

use sqlx::ConnectOptions as _;
use sqlx::mysql::MySqlConnection;

use super::{MySqlOptions, failure};
use crate::error::{Error, Result};

/// One round trip that makes a session what the rest relies on: texts are UTF-8 and compared by code point, too long ones
/// are refused, not cut, times are UTC, messages are English (they name violated constraints), a lock is waited for 3 s.
/// A transaction that a stopped process left open is ended by MariaDB after 5 s and gives its locks up; MySQL has no such
/// setting and takes the `/*M! */` for a comment.
const SESSION: &str = "SET NAMES utf8mb4 COLLATE utf8mb4_bin; \
    SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', SESSION time_zone = '+00:00', SESSION lc_messages = 'en_US', SESSION autocommit = 1, \
SESSION innodb_lock_wait_timeout = 3 /*M! , SESSION idle_transaction_timeout = 5 */";

/// A connection in bounded time.
///
/// # Errors
/// [`Error::Setup`] with what to do, or [`Error::Unavailable`] when the server cannot be reached now.
pub(super) async fn connect(
    options: &MySqlOptions,
    with_database: bool,
) -> Result<MySqlConnection> {
    let driver = options.driver(with_database)?;
    let made = async {
        let mut conn = driver.connect().await?;
        sqlx::raw_sql(SESSION).execute(&mut conn).await?;
        Ok(conn)
    };
    match tokio::time::timeout(options.connect_timeout, made).await {
        Ok(made) => made.map_err(|error: sqlx::Error| failure::of_connecting(&error, options)),
        Err(_) => Err(Error::away(format!(
            "{}:{} did not answer within {:?}; is the database running?",
            options.host, options.port, options.connect_timeout
        ))),
    }
}
