//! Everything that can be set in a process: the sections of all components, put together, and what is true of the whole.

mod check;
pub(crate) mod login;
mod mode;
mod process;

use std::path::{Path, PathBuf};

use lingxi_ai_worker::settings::Ai;
use lingxi_bus::settings::Nats;
use lingxi_files::settings::Files;
use lingxi_gateway::settings::{Heartbeat, Sessions};
use lingxi_http::settings::Http;
use lingxi_im::configuration::Rate;
use lingxi_runtime::config::{Error, Root, Secret, load, masked_toml, word};
use lingxi_runtime::telemetry::LogFormat;
use lingxi_store::settings::Database;
use lingxi_webhooks::settings::Webhooks;
use serde::{Deserialize, Serialize};

pub(crate) use mode::Mode;
pub(crate) use process::{Limits, Switch};

/// The documented defaults of what no component owns.
const DEFAULTS: &str = include_str!("../../default.toml");

/// The effective configuration. `default.toml`, beside this crate's manifest and those of the components, documents each
/// key for operators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Public address, `host:port`: REST, WebSocket, SSE.
    pub(crate) listen: String,
    /// Address of health and metrics, `host:port`; never public.
    pub(crate) internal_listen: String,
    /// gRPC address, `host:port`.
    pub(crate) grpc_listen: String,
    /// The `host:port` under which other processes reach this one's gRPC; see [`Config::grpc_advertise`].
    pub(crate) grpc_advertise: Option<String>,
    /// Folder of embedded mode.
    pub(crate) data_dir: PathBuf,
    /// `sqlite:…` or `mysql:…`.
    pub(crate) database_url: Option<String>,
    /// The database in parts, and its pool.
    pub(crate) database: Database,
    /// The message bus of a cluster.
    pub(crate) nats_url: Option<String>,
    /// How the message bus is used.
    pub(crate) nats: Nats,
    /// The shared cache of a cluster.
    pub(crate) redis_url: Option<String>,
    /// Keeps installations on one NATS and one Redis apart: put before every subject, stream and key.
    pub(crate) namespace: String,
    /// Proxies whose `X-Forwarded-For` is believed: addresses and networks, separated by commas.
    pub(crate) trusted_proxies: String,
    /// Signs users' tokens; embedded mode makes its own when unset.
    pub(crate) jwt_secret: Option<Secret>,
    /// Hours that a token is good for.
    pub(crate) jwt_ttl_hours: u32,
    /// What the gRPC port asks callers for.
    pub(crate) cluster_token: Option<Secret>,
    /// Work factor of password hashes, 4 to 31.
    pub(crate) bcrypt_cost: u32,
    /// Whether the limits in `rate` are in force.
    #[serde(deserialize_with = "word")]
    pub(crate) rate_limits: Switch,
    /// Rates and bursts.
    pub(crate) rate: Rate,
    /// What users and processes may hold.
    pub(crate) limits: Limits,
    /// The edge that strangers reach.
    pub(crate) http: Http,
    /// Attachments.
    pub(crate) files: Files,
    /// Connections a user may hold.
    pub(crate) sessions: Sessions,
    /// How silence is noticed.
    pub(crate) heartbeat: Heartbeat,
    /// Lanes of the message log, 1 to 64, fixed when the database is made.
    pub(crate) partitions: u16,
    /// Filter of the log, a level or directives.
    pub(crate) log: String,
    /// Shape of the log.
    #[serde(deserialize_with = "word")]
    pub(crate) log_format: LogFormat,
    /// The assistant.
    pub(crate) ai: Ai,
    /// What bots are told of.
    pub(crate) webhooks: Webhooks,
}

impl Root for Config {
    const PROSE: &'static [&'static str] = &["ai.system_prompt"];

    fn defaults() -> Vec<&'static str> {
        vec![
            DEFAULTS,
            lingxi_store::settings::DEFAULTS,
            lingxi_bus::settings::DEFAULTS,
            lingxi_im::configuration::DEFAULTS,
            lingxi_files::settings::DEFAULTS,
            lingxi_http::settings::DEFAULTS,
            lingxi_gateway::settings::DEFAULTS,
            lingxi_ai_worker::settings::DEFAULTS,
            lingxi_webhooks::settings::DEFAULTS,
        ]
    }

    fn sample(mut self) -> Self {
        self.ai.providers = vec![lingxi_ai_worker::settings::Provider::new("", "", "")];
        self
    }

    fn check(&self) -> Result<(), Error> {
        self.check_process()?;
        self.database.check()?;
        self.nats.check()?;
        self.rate.check()?;
        self.limits.check()?;
        self.http.check()?;
        self.files.check()?;
        self.heartbeat.check()?;
        self.ai.check()?;
        self.webhooks.check()
    }
}

impl Config {
    /// Loads the defaults, then `file` (else `lingxi.toml` of the working directory, when there is one), then the
    /// process environment, then `overrides` (dotted key, value).
    pub(crate) fn load(file: Option<&Path>, overrides: &[(String, String)]) -> Result<Self, Error> {
        load(file, overrides)
    }

    /// All documented defaults as one file.
    pub(crate) fn documented() -> String {
        Self::defaults().join("\n")
    }

    /// The effective configuration as TOML without secrets; see [`masked_toml`].
    pub(crate) fn masked_toml(&self) -> String {
        masked_toml(self)
    }

    /// The SQLite file of embedded mode: `database_url` without its scheme, else `lingxi.db` in the data folder.
    pub(crate) fn sqlite_path(&self) -> PathBuf {
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
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.bcrypt_cost < 10 {
            warnings.push(format!(
                "bcrypt_cost = {} makes stolen password hashes cheap to break; use it for load tests only",
                self.bcrypt_cost
            ));
        }
        warnings
    }
}

#[cfg(test)]
mod tests;
