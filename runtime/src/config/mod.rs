//! The configuration: documented defaults, a file, the environment, flags; the later wins.

mod check;
mod error;
mod known;
mod load;
mod masked;
mod secret;
mod sections;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::Error;
pub use load::{DEFAULT_TOML, Sources};
pub use secret::Secret;
pub use sections::{
    Ai, Database, Heartbeat, LogFormat, Provider, Rate, SessionPolicy, Sessions, Switch,
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
    /// The shared cache of a cluster.
    pub redis_url: Option<String>,
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

/// How the processes of an installation meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Everything in one process, on SQLite.
    Embedded,
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

    /// Which mode the configuration asks for.
    ///
    /// # Errors
    /// [`Error::Mode`] when it asks for one that this version does not have.
    pub fn mode(&self) -> Result<Mode, Error> {
        let cluster_keys = [
            ("nats_url", self.nats_url.is_some()),
            ("redis_url", self.redis_url.is_some()),
            ("database.host", self.database.host.is_some()),
            (
                "database_url",
                self.database_url
                    .as_deref()
                    .is_some_and(|url| url.starts_with("mysql:")),
            ),
        ];
        match cluster_keys.iter().find(|(_, set)| *set) {
            None => Ok(Mode::Embedded),
            Some((key, _)) => Err(Error::Mode { key }),
        }
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

    /// The `host:port` that other processes are told for gRPC, given where `grpc_listen` is really bound: an address
    /// that was bound for all interfaces is advertised as loopback unless `grpc_advertise` says better.
    #[must_use]
    pub fn grpc_advertise(&self, bound: SocketAddr) -> String {
        if let Some(configured) = &self.grpc_advertise {
            return configured.clone();
        }
        match bound {
            SocketAddr::V4(v4) if v4.ip().is_unspecified() => format!("127.0.0.1:{}", v4.port()),
            SocketAddr::V6(v6) if v6.ip().is_unspecified() => format!("[::1]:{}", v6.port()),
            other => other.to_string(),
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
