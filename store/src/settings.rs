//! `[database]` of the configuration.

use lingxi_runtime::config::check::within;
use lingxi_runtime::config::{Error, Secret};
use serde::{Deserialize, Serialize};

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// `[database]`: MySQL or MariaDB in parts, and the pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// Server name or address; setting it chooses MySQL, in place of `database_url`.
    pub host: Option<String>,
    /// Server port.
    pub port: Option<u16>,
    /// User to log in as.
    pub username: Option<String>,
    /// Its password, with any character in it.
    pub password: Option<Secret>,
    /// Database (schema) name.
    pub dbname: Option<String>,
    /// Connections kept open.
    pub pool_size: u32,
    /// The most connections there may be; never below `pool_size`.
    pub pool_max: u32,
    /// Age in seconds at which a connection is replaced.
    pub recycle_seconds: u64,
}

impl Database {
    /// Refuses the first value that is out of range.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        within("database.pool_max", self.pool_max, 1, 10_000)?;
        within("database.pool_size", self.pool_size, 1, self.pool_max)?;
        within("database.recycle_seconds", self.recycle_seconds, 1, 604_800)
    }
}
