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
mod stages;

use std::time::Duration;

use anyhow::Context as _;
use lingxi_runtime::{descriptors, metrics, telemetry};

use crate::config::Config;
use crate::foundation;

use self::listeners::Listeners;
use self::node::Node;
use self::stages::Stages;

/// A part of the system that can be a process of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Role {
    /// Clients' sockets and requests.
    Gateway,
    /// Commits messages and fans them out.
    ChatWorker,
    /// Answers questions.
    AiWorker,
    /// The operators' API.
    AdminApi,
}

impl Role {
    /// In the order in which they start: who works before who asks.
    pub(crate) const ALL: &[Self] = &[
        Self::ChatWorker,
        Self::AiWorker,
        Self::Gateway,
        Self::AdminApi,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::ChatWorker => "chat-worker",
            Self::AiWorker => "ai-worker",
            Self::AdminApi => "admin-api",
        }
    }

    const fn service(self) -> &'static str {
        match self {
            Self::Gateway => "lingxi-gateway",
            Self::ChatWorker => "lingxi-chat-worker",
            Self::AiWorker => "lingxi-ai-worker",
            Self::AdminApi => "lingxi-admin-api",
        }
    }

    /// Starts the role; returns when it serves.
    async fn run(self, node: &Node<'_>, listeners: &mut Listeners) -> anyhow::Result<()> {
        match self {
            Self::Gateway => gateway::run(node, listeners).await,
            Self::ChatWorker => chat_worker::run(node).await,
            Self::AiWorker => ai_worker::run(node).await,
            Self::AdminApi => admin_api::run(node, listeners).await,
        }
    }
}

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
    let foundation = tokio::select! {
        opened = foundation::open(&config, service, wait_for, &stages.base) => opened?,
        () = stages.process.cancelled() => return Ok(()),
    };
    let node = Node::new(&config, roles, &foundation, &stages);
    for role in roles {
        role.run(&node, &mut listeners).await?;
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
