//! The sockets of a process, bound before anything else: a port in use is told at once.

use std::net::SocketAddr;

use anyhow::Context as _;
use lingxi_runtime::listener::{Listener, bind};

use crate::config::Config;

use super::Role;

/// The sockets that a process listens on, until a role takes them.
pub(super) struct Listeners {
    /// For probes and scrapes.
    pub(super) internal: Listener,
    public: Option<Listener>,
    grpc: Option<Listener>,
}

impl Listeners {
    /// Binds what `roles` need.
    pub(super) async fn bind(config: &Config, roles: &[Role]) -> anyhow::Result<Self> {
        let has = |role| roles.contains(&role);
        let internal = bind("internal_listen", &config.internal_listen).await?;
        let mut public = None;
        if has(Role::Gateway) || has(Role::AdminApi) {
            public = Some(bind("listen", &config.listen).await?);
        }
        let mut grpc = None;
        if has(Role::Gateway) {
            grpc = Some(bind("grpc_listen", &config.grpc_listen).await?);
        }
        Ok(Self {
            internal,
            public,
            grpc,
        })
    }

    /// Where clients reach this process, if they do.
    pub(super) fn public_address(&self) -> anyhow::Result<Option<SocketAddr>> {
        let address = self.public.as_ref().map(Listener::local_addr);
        Ok(address.transpose()?)
    }

    pub(super) fn take_public(&mut self) -> anyhow::Result<Listener> {
        self.public.take().context("the public port is taken")
    }

    pub(super) fn take_grpc(&mut self) -> anyhow::Result<Listener> {
        self.grpc.take().context("the gRPC port is taken")
    }
}
