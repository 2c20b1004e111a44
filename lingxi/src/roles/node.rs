//! What the roles of one process share.

use lingxi_http::internal;
use lingxi_runtime::budget::Budget;
use lingxi_runtime::health::Readiness;
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

    /// How a port behaves that strangers reach.
    pub(super) fn http_options(&self) -> anyhow::Result<lingxi_http::Options> {
        let trusted = self.config.trusted_proxies();
        let trusted =
            trusted.map_err(|part| anyhow::anyhow!("trusted_proxies: {part:?} is no address"))?;
        let limited = self.config.rate_limits.is_on();
        Ok(self.config.http.options(trusted, limited))
    }

    /// Answers probes and scrapes from now on, through the drain, until the process ends.
    pub(super) fn answer_probes(&self, listener: Listener) {
        let readiness = Readiness::new();
        self.foundation.register(&readiness);
        let (process, own) = (self.stages.process.clone(), self.stages.probes.clone());
        self.stages.probes.spawn("internal port", async move {
            internal::serve(listener, readiness, process, &own).await;
        });
    }
}
