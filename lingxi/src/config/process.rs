//! What belongs to a process as a whole.

use lingxi_runtime::config::Error;
use lingxi_runtime::config::check::within;
use serde::{Deserialize, Serialize};

/// A switch written `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    /// In force.
    On,
    /// Not in force.
    Off,
}

impl Switch {
    /// Returns true if the switch is on.
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }
}

/// `[limits]`: what one user may hold, and what a process may hold for all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// Mebibytes that a process may hold for its clients.
    pub(crate) memory_mib: usize,
    /// Connections of one user under `multi`, over all nodes.
    pub(crate) sockets_per_user: usize,
    /// Groups a user may be in.
    pub(crate) groups_per_user: u32,
    /// Streams of answers that one user may follow at a time on one gateway.
    pub(crate) followers_per_user: usize,
    /// Invitations that a user may send a minute.
    pub(crate) invitations_per_minute: u32,
}

impl Limits {
    pub(crate) fn check(&self) -> Result<(), Error> {
        within("limits.memory_mib", self.memory_mib, 8, 1 << 20)?;
        for (key, value) in [
            ("limits.groups_per_user", self.groups_per_user),
            ("limits.invitations_per_minute", self.invitations_per_minute),
        ] {
            within(key, value, 1, 1_000_000)?;
        }
        for (key, value) in [
            ("limits.sockets_per_user", self.sockets_per_user),
            ("limits.followers_per_user", self.followers_per_user),
        ] {
            within(key, value, 1, 1_000_000)?;
        }
        Ok(())
    }
}
