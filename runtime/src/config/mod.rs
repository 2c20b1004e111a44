//! The configuration: documented defaults, a file, the environment, flags; the later wins.

mod check;
mod error;
mod known;
mod load;
mod masked;
mod mode;
mod secret;
mod sections;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::Error;
pub use load::{DEFAULT_TOML, Sources};
pub use mode::Mode;
pub use secret::Secret;
pub use sections::{
    Ai, Database, Heartbeat, LogFormat, Nats, Provider, Rate, SessionPolicy, Sessions, Switch,
};

/// Everything that can be set. `default.toml`, beside this crate's manifest, documents each key for operators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Public address, `host:port`: REST, WebSocket, SSE.
    pub listen: String,
    /// Address of health and metrics, `host:port`; never public.
    pub internal_listen: String,
    /// gRPC address, `host:port`.
    pub grpc_listen: String,
    /// The `host:port` under which other processes reach this one's gRPC; see [`Config::grpc_advertise`].
    pub grpc_advertise: Option<String>,
    /// Folder of embedded mode.
    pub data_dir: PathBuf,
    /// `sqlite:…` or `mysql:…`.
    pub database_url: Option<String>,
    /// The database in parts, and its pool.
    pub database: Database,
    /// The message bus of a cluster.
    pub nats_url: Option<String>,
    /// How the message bus is used.
    pub nats: Nats,
    /// The shared cache of a cluster.
    pub redis_url: Option<String>,
    /// Keeps installations on one NATS and one Redis apart: put before every subject, stream and key.
    pub namespace: String,
    /// Proxies whose `X-Forwarded-For` is believed: addresses and networks, separated by commas.
    pub trusted_proxies: String,
    /// Signs users' tokens; embedded mode makes its own when unset.
    pub jwt_secret: Option<Secret>,
    /// Hours that a token is good for.
    pub jwt_ttl_hours: u32,
    /// What the gRPC port asks callers for.
    pub cluster_token: Option<Secret>,
    /// Work factor of password hashes, 4 to 31.
    pub bcrypt_cost: u32,
    /// Whether the limits in `rate` are in force.
    #[serde(deserialize_with = "sections::word")]
    pub rate_limits: Switch,
    /// Rates and bursts.
    pub rate: Rate,
    /// Connections a user may hold.
    pub sessions: Sessions,
    /// How silence is noticed.
    pub heartbeat: Heartbeat,
    /// Lanes of the message log, 1 to 64, fixed when the database is made.
    pub partitions: u16,
    /// Filter of the log, a level or directives.
    pub log: String,
    /// Shape of the log.
    #[serde(deserialize_with = "sections::word")]
    pub log_format: LogFormat,
    /// The assistant.
    pub ai: Ai,
}

impl Config {
    /// The defaults alone.
    ///
    /// # Errors
    /// Never in a released build: a test loads the same text.
    pub fn defaults() -> Result<Self, Error> {
        Self::load_from(Sources::default())
    }

    /// Loads the defaults, then `file` (else `lingxi.toml` of the working directory, when there is one), then the
    /// process environment, then `overrides` (dotted key, value).
    ///
    /// # Errors
    /// The first thing that is wrong, in one line that says where it came from and what is accepted.
    pub fn load(file: Option<&Path>, overrides: &[(String, String)]) -> Result<Self, Error> {
        Self::load_from(Sources::of_process(file, overrides))
    }

    /// The SQLite file of embedded mode: `database_url` without its scheme, else `lingxi.db` in the data folder.
    #[must_use]
    pub fn sqlite_path(&self) -> PathBuf {
        let path = self
            .database_url
            .as_deref()
            .and_then(|url| url.strip_prefix("sqlite:"));
        match path.map(|rest| rest.strip_prefix("//").unwrap_or(rest)) {
            Some(path) => PathBuf::from(path),
            None => self.data_dir.join("lingxi.db"),
        }
    }

    /// What an operator should know although it is allowed; logged once at start.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.bcrypt_cost < 10 {
            warnings.push(format!(
                "bcrypt_cost = {} makes stolen password hashes cheap to break; use it for load tests only",
                self.bcrypt_cost
            ));
        }
        if self
            .jwt_secret
            .as_ref()
            .is_some_and(|secret| secret.expose().len() < 32)
        {
            warnings.push(
                "jwt_secret is shorter than 32 bytes; tokens can be forged by guessing".to_owned(),
            );
        }
        warnings
    }
}

#[cfg(test)]
mod tests;
