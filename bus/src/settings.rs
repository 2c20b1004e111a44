//! `[nats]` of the configuration.

use std::path::PathBuf;

use lingxi_runtime::config::Error;
use lingxi_runtime::config::check::{require, within};
use serde::{Deserialize, Serialize};

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

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

impl Nats {
    /// Refuses the first value that is out of range.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        require(
            [1, 3, 5].contains(&self.replicas),
            "nats.replicas",
            &self.replicas.to_string(),
            "expected 1, 3 or 5",
        )?;
        within("nats.max_log_bytes", self.max_log_bytes, 1 << 20, 1 << 50)
    }
}
