//! `[sessions]` and `[heartbeat]` of the configuration.

use lingxi_runtime::config::check::within;
use lingxi_runtime::config::{Error, word};
use serde::{Deserialize, Serialize};

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

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

impl Heartbeat {
    /// Refuses what is out of range.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        within("heartbeat.interval_ms", self.interval_ms, 100, 3_600_000)
    }
}
