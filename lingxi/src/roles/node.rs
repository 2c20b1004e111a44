//! What the roles of one process share.

use lingxi_runtime::budget::Budget;
use lingxi_runtime::health::{self, Readiness};
use lingxi_runtime::listener::Listener;

use crate::config::Config;
use crate::foundation::Foundation;

use super::Role;
use super::stages::Stages;

/// One process as its roles see it.
pub(super) struct Node<'a> {
    pub(super) config: &'a Config,
    pub(super) roles: &'a [Role],
    pub(super) foundation: &'a Foundation,
    pub(super) stages: &'a Stages,
    /// The bytes that the process may hold for its clients.
    pub(super) budget: Budget,
}

impl<'a> Node<'a> {
    pub(super) fn new(
        config: &'a Config,
        roles: &'a [Role],
        foundation: &'a Foundation,
        stages: &'a Stages,
    ) -> Self {
        Self {
            config,
            roles,
            foundation,
            stages,
            budget: Budget::new(config.limits.memory_mib.saturating_mul(1024 * 1024)),
        }
    }

    pub(super) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Answers probes and scrapes from now on, through the drain, until the process ends.
    pub(super) fn answer_probes(&self, listener: Listener) {
        let readiness = Readiness::new();
        self.foundation.register(&readiness);
        let process = self.stages.process.clone();
        let served = health::serve(listener, readiness, process.clone());
        process.spawn("internal port", async move {
            if let Err(error) = served.await {
                tracing::error!(%error, "the internal port failed");
            }
        });
    }
}
