//! `[rate]` of the configuration.

use lingxi_runtime::config::Error;
use lingxi_runtime::config::check::within;
use serde::{Deserialize, Serialize};

use crate::Rates;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../default.toml");

/// `[rate]`: what users and networks may do how often; in force unless `rate_limits` is off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Messages a user may send a second over all their connections, in the long run.
    pub messages_per_second: u32,
    /// Messages a user may send at once.
    pub message_burst: u32,
    /// Requests a user may make a second, in the long run.
    pub requests_per_second: u32,
    /// Requests a user may make at once.
    pub request_burst: u32,
    /// Login attempts from one network a minute.
    pub logins_per_minute: u32,
    /// Registrations from one network a minute.
    pub registers_per_minute: u32,
    /// Questions of a user to the assistant a minute.
    pub runs_per_minute: u32,
}

impl Rate {
    /// As limits, with what is configured elsewhere.
    #[must_use]
    pub fn rates(&self, invitations_per_minute: u32) -> Rates {
        Rates {
            messages_per_second: self.messages_per_second,
            message_burst: self.message_burst,
            requests_per_second: self.requests_per_second,
            request_burst: self.request_burst,
            logins_per_minute: self.logins_per_minute,
            registers_per_minute: self.registers_per_minute,
            runs_per_minute: self.runs_per_minute,
            invitations_per_minute,
        }
    }

    /// Refuses the first value that is out of range.
    ///
    /// # Errors
    /// Says what is accepted.
    pub fn check(&self) -> Result<(), Error> {
        for (key, value) in [
            ("rate.messages_per_second", self.messages_per_second),
            ("rate.message_burst", self.message_burst),
            ("rate.requests_per_second", self.requests_per_second),
            ("rate.request_burst", self.request_burst),
            ("rate.logins_per_minute", self.logins_per_minute),
            ("rate.registers_per_minute", self.registers_per_minute),
            ("rate.runs_per_minute", self.runs_per_minute),
        ] {
            within(key, value, 1, 1_000_000)?;
        }
        Ok(())
    }
}
