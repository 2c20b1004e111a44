//! The sections below the top level of the configuration, as plain data.

use std::path::PathBuf;

use serde::de::{Deserializer, Error as _, IntoDeserializer, value};
use serde::{Deserialize, Serialize};

use super::secret::Secret;

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

/// `[nats]`: how the message bus is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nats {
    /// Servers that keep a copy of each stream: 1, 3 or 5, as many as the NATS cluster has at least.
    pub replicas: u32,
    /// The most bytes of messages that wait to be committed; beyond, senders are told to try again.
    pub max_log_bytes: u64,
    /// Certificates (PEM) to trust besides the system's, for servers with TLS.
    pub ca_file: Option<PathBuf>,
    /// The servers' monitoring ports (`http://host:8222`), separated by commas. NATS tells there, and nowhere else, how
    /// often it syncs to the disk; it is stated at the start and on `/readyz`.
    pub monitoring_url: Option<String>,
}

/// `[sessions]`: what a second login of a user does to the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    /// One connection a user, or any number.
    #[serde(deserialize_with = "word")]
    pub policy: SessionPolicy,
}

/// How many connections a user may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionPolicy {
    /// A newer login closes the older connection.
    Single,
    /// Every device stays connected.
    Multi,
}

/// `[heartbeat]`: how silence is noticed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Milliseconds of silence after which a client is asked for a life sign; twice as long closes its socket.
    pub interval_ms: u64,
}

/// A switch written `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// In force.
    On,
    /// Not in force.
    Off,
}

impl Switch {
    /// Whether the switch is on.
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// `[rate]`: the limits that `rate_limits` switches on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Messages a user may send a second, in the long run.
    pub messages_per_second: u32,
    /// Messages a user may send at once.
    pub message_burst: u32,
    /// Login attempts from one address a minute.
    pub logins_per_minute: u32,
    /// Registrations from one address a minute.
    pub registers_per_minute: u32,
}

/// `[ai]`: the assistant's limits and where its models are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ai {
    /// The most model calls in one answer.
    pub max_steps: u32,
    /// Answers one process works on at a time.
    pub concurrency: usize,
    /// Seconds after which an answer is ended.
    pub deadline_seconds: u64,
    /// Replaces the built-in instructions to the model.
    pub system_prompt: Option<String>,
    /// Look for an Ollama at `ollama_url` when no provider is configured.
    pub detect_ollama: bool,
    /// Where that Ollama would be.
    pub ollama_url: String,
    /// OpenAI-compatible services, in the order of preference.
    #[serde(default)]
    pub providers: Vec<Provider>,
}

/// One OpenAI-compatible service, `[[ai.providers]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// A name of its own, for logs and metrics.
    pub name: String,
    /// The URL that `/chat/completions` is appended to.
    pub base_url: String,
    /// Sent as `Authorization: Bearer`; local servers need none.
    #[serde(default)]
    pub api_key: Option<Secret>,
    /// The model to ask for.
    pub model: String,
    /// Milliseconds until a connection must stand.
    #[serde(default = "default_connect_ms")]
    pub connect_ms: u64,
    /// Milliseconds from the request to the first token.
    #[serde(default = "default_first_token_ms")]
    pub first_token_ms: u64,
    /// Milliseconds between two tokens.
    #[serde(default = "default_idle_ms")]
    pub idle_ms: u64,
    /// Milliseconds for one whole answer of the model.
    #[serde(default = "default_total_ms")]
    pub total_ms: u64,
}

impl Provider {
    /// A provider with the default timeouts.
    pub fn new(
        name: impl Into<String>,
        base_url: impl Into<String>,
        model: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            base_url: base_url.into(),
            api_key: None,
            model: model.into(),
            connect_ms: default_connect_ms(),
            first_token_ms: default_first_token_ms(),
            idle_ms: default_idle_ms(),
            total_ms: default_total_ms(),
        }
    }
}

fn default_connect_ms() -> u64 {
    5_000
}

fn default_first_token_ms() -> u64 {
    30_000
}

fn default_idle_ms() -> u64 {
    20_000
}

fn default_total_ms() -> u64 {
    180_000
}

/// Reads a word that is one of an enum's, with an error that lists them all.
pub(super) fn word<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let given = String::deserialize(deserializer)?;
    let words: value::StringDeserializer<value::Error> = given.into_deserializer();
    T::deserialize(words).map_err(D::Error::custom)
}
