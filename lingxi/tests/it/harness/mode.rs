//! In which shape the system runs.

use super::deployment::Deployment;
use super::options::Options;
use super::user::User;

/// In which shape the system runs. Every behaviour holds in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One process on SQLite with the in-process bus.
    Embedded,
    /// Several processes on MariaDB, NATS and Redis: two gateways, two chat workers, an AI worker.
    Cluster,
}

/// A cluster's processes by role. Users are spread over the gateways, which come first.
pub(crate) const CLUSTER: &[&str] = &[
    "gateway",
    "gateway",
    "chat-worker",
    "chat-worker",
    "ai-worker",
];

impl Mode {
    /// Options of a deployment that has the operators' API, and in a cluster two workers that tell webhooks.
    pub(crate) fn with_operators(self) -> Options {
        match self {
            Self::Embedded => self.options(),
            Self::Cluster => self.options().also(&["ai-worker", "admin-api"]),
        }
    }

    /// A deployment with the tests' defaults.
    pub(crate) async fn start(self) -> Deployment {
        self.options().start().await
    }

    /// A deployment with alice, who owns a group, bob, who is in it, and carol, who is not.
    pub(crate) async fn with_group(self) -> (Deployment, User, User, User, u64) {
        let lx = self.start().await;
        let (alice, bob, carol) = lx.three().await;
        let group = alice.create_group("g").await;
        bob.join(group).await.ok();
        (lx, alice, bob, carol, group)
    }

    /// Options to change before the start.
    pub(crate) fn options(self) -> Options {
        Options::new(self)
    }

    /// The processes of this mode, by role.
    pub(super) fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Embedded => &["all"],
            Self::Cluster => CLUSTER,
        }
    }

    /// Options with one variable set.
    pub(crate) fn with(self, key: &str, value: impl ToString) -> Options {
        self.options().with(key, value)
    }
}
