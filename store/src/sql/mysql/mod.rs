//! MariaDB 10.11+ and MySQL 8.0.19+ by sqlx. READ COMMITTED; every wait is bounded.
//!
//! Tests run on MariaDB 10.11. MySQL 8 is meant to work and written for, statement by statement, but no test runs on it.
//! What is used beyond plain SQL: `JSON_TABLE`, common table expressions, `SKIP LOCKED`, named locks and `KILL` of one's
//! own connections.

mod connect;
mod disk;
mod failure;
mod options;
mod owner;
mod pool;
pub(crate) mod row;
mod schema;
mod server;
mod session;
mod version;

#[cfg(feature = "conformance")]
pub(crate) mod fresh;

pub use options::MySqlOptions;
pub(crate) use schema::migrate;
pub(crate) use server::Server;
pub(crate) use session::Session;
