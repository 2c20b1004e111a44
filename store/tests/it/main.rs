//! The store on each kind of database.

#![allow(
    clippy::unwrap_used,
    reason = "a test panics where a promise is broken, also in what its cases share"
)]

mod disk;
mod mysql;
mod sqlite;
mod upgrades;
