//! What this crate is put together from.

use std::time::Duration;

use lingxi_bus::SharedBus;
use lingxi_cache::SharedCache;
use lingxi_domain::reach::Reach;
use lingxi_files::Blobs;
use lingxi_store::Store;

use crate::{Rates, RunLimits};

/// What a process works with.
#[derive(Clone)]
pub struct Deps {
    /// The truth.
    pub store: Store,
    /// Pushes go out here.
    pub bus: SharedBus,
    /// Presence and the limits that hold across nodes.
    pub cache: SharedCache,
    /// Where attachments are kept.
    pub files: Blobs,
    /// How to behave.
    pub config: ImConfig,
}

/// How accounts and logins behave.
#[derive(Clone)]
pub struct ImConfig {
    /// Signs and checks tokens (HS256).
    pub jwt_secret: Vec<u8>,
    /// How long a token is good for, in hours.
    pub jwt_ttl_hours: i64,
    /// Work factor of password hashes, 4 to 31.
    pub bcrypt_cost: u32,
    /// Whether anything is limited in how often it is done.
    pub rate_limits: bool,
    /// How often, where it is.
    pub rates: Rates,
    /// Groups that one user may be in.
    pub groups_per_user: u32,
    /// How much of the assistant one user may have.
    pub runs: RunLimits,
    /// How much may be attached.
    pub files: FileLimits,
    /// Partitions of the incoming messages, fixed when the system is installed.
    pub partitions: u16,
    /// Where webhooks may be.
    pub webhooks: Reach,
}

/// How much may be attached, and how long it is kept for nobody. The defaults are those of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// Bytes that a user may upload a day.
    pub bytes_per_day: i64,
    /// Uploads of one user at a time, in this process.
    pub uploads_per_user: usize,
    /// Uploads of all at a time, in this process.
    pub uploads: usize,
    /// How long a file is kept that no message has.
    pub unsent: Duration,
    /// How long a link to a file works.
    pub link: Duration,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self {
            bytes_per_day: 1024 * 1024 * 1024,
            uploads_per_user: 4,
            uploads: 128,
            unsent: Duration::from_secs(86_400),
            link: Duration::from_secs(300),
        }
    }
}
