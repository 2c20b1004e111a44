//! The store on each kind of database.

#![allow(
    clippy::disallowed_methods,
    reason = "a test's tasks end with its runtime"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a test panics where a promise is broken, also in what its cases share"
)]

mod disk;
mod mysql;
mod sqlite;
mod upgrades;
