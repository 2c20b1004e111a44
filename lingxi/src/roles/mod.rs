//! The roles, and a process that runs any of them: one in a cluster, all of them by default.
//!
//! A role is a file: it composes its options from the configuration and starts. [`Role::ALL`] is the one list. What all
//! have in common is in [`run`], which reads from top to bottom.

mod admin_api;
mod ai_worker;
mod chat_worker;
mod gateway;
mod listeners;
mod node;
mod role;
mod stages;

use std::time::Duration;

use anyhow::Context as _;
use lingxi_runtime::{descriptors, metrics, telemetry};

use crate::config::Config;
use crate::foundation;

use self::listeners::Listeners;
use self::node::Node;
use self::stages::Stages;

pub(crate) use self::role::Role;

/// Says whether `config` can run `roles`.
pub(crate) fn check(config: &Config, roles: &[Role]) -> anyhow::Result<()> {
    match roles {
        [role] => config.require_cluster(role.name())?,
        _ => {
            config.mode()?;
        }
    }
    if roles.contains(&Role::AiWorker) {
        ai_worker::check(config)?;
    }
    if let lingxi_store::Location::MySql(_) = foundation::location(config)? {
        foundation::nats_options(config, "check", config.partitions)
            .check()
            .context("nats_url")?;
        foundation::redis_options(config).context("redis_url")?;
    }
    Ok(())
}

/// Runs `roles` until SIGTERM or SIGINT, then drains: clients are sent away, what was taken in is committed and pushed. A
/// task that fails ends the process in the same way, with an error.
pub(crate) async fn run(config: Config, roles: &[Role], wait_for: Duration) -> anyhow::Result<()> {
    check(&config, roles)?;
    let service = match roles {
        [role] => role.service(),
        _ => "lingxi",
    };
    let telemetry = telemetry::init(&config.log, config.log_format, service)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    metrics::install()?;
    let descriptors = descriptors::raise();
    tracing::info!(descriptors, "open sockets and files there may be");

    let stages = Stages::begin()?;
    let mut listeners = Listeners::bind(&config, roles).await?;
    let address = listeners.public_address()?;
    let keeps_files = roles.contains(&Role::Gateway);
    let foundation = tokio::select! {
        opened = foundation::open(&config, service, wait_for, keeps_files, &stages.base) => opened?,
        () = stages.process.cancelled() => return Ok(()),
    };
    let node = Node::new(&config, roles, &foundation, &stages);
    for role in roles {
        start(*role, &node, &mut listeners).await?;
    }
    node.answer_probes(listeners.internal);
    for (name, fact) in foundation.facts() {
        tracing::info!("{name}: {fact}");
    }
    match address {
        Some(address) => tracing::info!("{service} is ready at http://{address}"),
        None => tracing::info!("{service} is ready"),
    }

    stages.stopped().await;
    stages.drain_edge().await;
    stages.drain_workers().await;
    foundation.close().await;
    stages.drain_base().await;
    tracing::info!("stopped");
    telemetry.shutdown().await;
    match stages.failed() {
        Some(task) => {
            anyhow::bail!("the task {task:?} failed, see the log; start the process again")
        }
        None => Ok(()),
    }
}

/// Starts a role; returns when it serves.
async fn start(role: Role, node: &Node<'_>, listeners: &mut Listeners) -> anyhow::Result<()> {
    match role {
        Role::Gateway => gateway::run(node, listeners).await,
        Role::ChatWorker => chat_worker::run(node).await,
        Role::AiWorker => ai_worker::run(node).await,
        Role::AdminApi => admin_api::run(node, listeners).await,
    }
}
