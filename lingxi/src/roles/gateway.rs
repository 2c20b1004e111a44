//! The role that holds clients' sockets and answers their requests.

use std::time::Duration;

use anyhow::Context as _;
use lingxi_gateway::settings::SessionPolicy;
use lingxi_gateway::{Deps, Options};
use lingxi_runtime::listener::Listener;

use crate::foundation;

use super::Role;
use super::listeners::Listeners;
use super::node::Node;

/// Over what time clients are told to come back.
const DRAIN_SPREAD: Duration = Duration::from_secs(3);
/// How long a load balancer may take to notice that a gateway drains.
const DRAIN_LINGER: Duration = Duration::from_secs(2);

pub(super) async fn run(node: &Node<'_>, listeners: &mut Listeners) -> anyhow::Result<()> {
    let foundation = node.foundation;
    let listeners = lingxi_gateway::Listeners {
        public: listeners.take_public()?,
        grpc: listeners.take_grpc()?,
    };
    let options = options(node, &listeners.grpc)?;
    let beside = match node.has(Role::AdminApi) {
        true => lingxi_admin_api::routes(foundation.im.clone()),
        false => lingxi_http::Routes::new(),
    };
    tracing::info!("files are kept in: {}", foundation.im.files().place());
    let deps = Deps {
        im: foundation.im.clone(),
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        cache: foundation.cache.clone(),
        budget: node.budget.clone(),
        beside,
    };
    lingxi_gateway::run(options, deps, listeners, &node.stages.edge).await?;
    Ok(())
}

fn options(node: &Node<'_>, grpc: &Listener) -> anyhow::Result<Options> {
    let config = node.config;
    let deadline = i64::try_from(config.ai.deadline_seconds).unwrap_or(i64::MAX / 1000);
    // One process alone has no load balancer that could send its clients elsewhere.
    let alone = node.foundation.sole;
    Ok(Options {
        partitions: node.foundation.partitions,
        session_policy: match config.sessions.policy {
            SessionPolicy::Single => lingxi_gateway::SessionPolicy::Single,
            SessionPolicy::Multi => lingxi_gateway::SessionPolicy::Multi,
        },
        sockets_per_user: config.limits.sockets_per_user,
        heartbeat: Duration::from_millis(config.heartbeat.interval_ms),
        grpc_advertise: advertised(node, grpc)?,
        cluster_token: config.cluster_token.as_ref().map(|t| t.expose().to_owned()),
        run_deadline_ms: deadline * 1000,
        drain_spread: DRAIN_SPREAD,
        drain_linger: if alone { Duration::ZERO } else { DRAIN_LINGER },
        unsent_files: Duration::from_secs(config.files.unsent_seconds),
        http: node.http_options()?,
    })
}

/// Where AI workers reach this gateway.
fn advertised(node: &Node<'_>, grpc: &Listener) -> anyhow::Result<String> {
    let bound = grpc.local_addr()?;
    let reachable = foundation::reachable_address(node.config);
    if !node.foundation.sole && bound.ip().is_unspecified() && reachable.is_none() {
        node.config.grpc_advertise.as_ref().context(
            "grpc_advertise: cannot tell at which address AI workers reach this gateway; set it to host:port",
        )?;
    }
    Ok(node.config.grpc_advertise(bound, reachable))
}
