//! The roles, and a process that runs any of them: one in a cluster, all of them by default.

use std::time::Duration;

use anyhow::Context as _;
use lingxi_ai_worker::providers::Choice;
use lingxi_gateway::{Listeners, MessageLimit};
use lingxi_runtime::config::{Config, SessionPolicy};
use lingxi_runtime::health::{self, Readiness};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_runtime::{listener, metrics, telemetry};
use tokio::net::TcpListener;

use crate::foundation::{self, Foundation};

/// Bytes that the process may hold for its clients.
const MEMORY: usize = 96 * 1024 * 1024;
/// Connections that a user may have where they may have several.
const SOCKETS_PER_USER: usize = 16;
/// How long the workers may take to finish once the gateway has drained.
const FINISH: Duration = Duration::from_secs(10);
/// Over what time clients are told to come back.
const DRAIN_SPREAD: Duration = Duration::from_secs(3);
/// How long a load balancer may take to notice that a gateway drains.
const DRAIN_LINGER: Duration = Duration::from_secs(2);

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
    pub(crate) const ALL: &[Self] = &[
        Self::ChatWorker,
        Self::AiWorker,
        Self::Gateway,
        Self::AdminApi,
    ];

    pub(crate) const fn name(self) -> &'static str {
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
        Choice::new(&config.ai).context("ai.providers")?;
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
    let telemetry = telemetry::init(&config, service)?;
    metrics::install()?;
    let signal = Shutdown::new();
    signal.on_signals().context("cannot listen for signals")?;
    let has = |role| roles.contains(&role);
    let internal = listener::bind("internal_listen", &config.internal_listen).await?;
    let mut public = None;
    if has(Role::Gateway) || has(Role::AdminApi) {
        public = Some(listener::bind("listen", &config.listen).await?);
    }
    let mut grpc = None;
    if has(Role::Gateway) {
        grpc = Some(listener::bind("grpc_listen", &config.grpc_listen).await?);
    }
    let address = public.as_ref().map(TcpListener::local_addr).transpose()?;

    let foundation = tokio::select! {
        opened = foundation::open(&config, service, wait_for) => opened?,
        () = signal.cancelled() => return Ok(()),
    };
    let workers = Shutdown::new();
    if has(Role::ChatWorker) {
        start_chat_worker(&foundation, &workers).await?;
    }
    if has(Role::AiWorker) {
        start_ai_worker(&config, &foundation, &workers)?;
    }
    let mut gateway = None;
    match (public, grpc) {
        (Some(public), Some(grpc)) => {
            let listeners = Listeners { public, grpc };
            let with_admin = has(Role::AdminApi);
            gateway = Some(start_gateway(
                &config,
                &foundation,
                listeners,
                with_admin,
                &workers,
            )?);
        }
        (Some(public), None) => {
            let trusted = trusted_proxies(&config)?;
            lingxi_admin_api::start(foundation.im.clone(), public, trusted, &workers);
        }
        _ => {}
    }

    let readiness = Readiness::new();
    foundation.register(&readiness);
    tokio::spawn(health::serve(internal, readiness, signal.clone()));
    for (name, fact) in foundation.facts() {
        tracing::info!("{name}: {fact}");
    }
    match address {
        Some(address) => tracing::info!("{service} is ready at http://{address}"),
        None => tracing::info!("{service} is ready"),
    }

    tokio::select! {
        () = signal.cancelled() => {}
        () = workers.cancelled() => {}
    }
    if let Some(gateway) = gateway {
        gateway.drain().await;
    }
    workers.trigger();
    if let Err(left) = workers.wait_all(FINISH).await {
        tracing::error!(%left, "some tasks did not end");
    }
    foundation.store.close().await;
    tracing::info!("stopped");
    telemetry.shutdown().await;
    match workers.failed() {
        Some(task) => {
            anyhow::bail!("the task {task:?} failed, see the log; start the process again")
        }
        None => Ok(()),
    }
}

fn trusted_proxies(config: &Config) -> anyhow::Result<Vec<ipnet::IpNet>> {
    config
        .trusted_proxies()
        .map_err(|part| anyhow::anyhow!("trusted_proxies: {part:?} is no address"))
}

async fn start_chat_worker(foundation: &Foundation, workers: &Shutdown) -> anyhow::Result<()> {
    let options = lingxi_chat_worker::Options {
        partitions: foundation.partitions,
        sole: foundation.sole,
    };
    let deps = lingxi_chat_worker::Deps {
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        im: foundation.im.clone(),
    };
    lingxi_chat_worker::start(options, deps, workers)
        .await
        .context("the chat worker cannot start")
}

fn start_ai_worker(
    config: &Config,
    foundation: &Foundation,
    workers: &Shutdown,
) -> anyhow::Result<()> {
    let deps = lingxi_ai_worker::Deps {
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        cache: foundation.cache.clone(),
        im: foundation.im.clone(),
    };
    let choice = Choice::new(&config.ai).context("ai.providers")?;
    let (config, shutdown) = (config.clone(), workers.clone());
    workers.spawn("AI worker", async move {
        lingxi_ai_worker::run(&config, deps, choice, shutdown).await;
    });
    Ok(())
}

fn start_gateway(
    config: &Config,
    foundation: &Foundation,
    listeners: Listeners,
    with_admin: bool,
    workers: &Shutdown,
) -> anyhow::Result<lingxi_gateway::Gateway> {
    let limit = MessageLimit {
        per_second: f64::from(config.rate.messages_per_second),
        burst: f64::from(config.rate.message_burst),
    };
    let deadline = i64::try_from(config.ai.deadline_seconds).unwrap_or(i64::MAX / 1000);
    let bound = listeners.grpc.local_addr()?;
    let reachable = foundation::reachable_address(config);
    if !foundation.sole && bound.ip().is_unspecified() && reachable.is_none() {
        anyhow::ensure!(
            config.grpc_advertise.is_some(),
            "grpc_advertise: cannot tell at which address AI workers reach this gateway; set it to host:port"
        );
    }
    let options = lingxi_gateway::Options {
        partitions: foundation.partitions,
        session_policy: match config.sessions.policy {
            SessionPolicy::Single => lingxi_gateway::SessionPolicy::Single,
            SessionPolicy::Multi => lingxi_gateway::SessionPolicy::Multi,
        },
        sockets_per_user: SOCKETS_PER_USER,
        heartbeat: Duration::from_millis(config.heartbeat.interval_ms),
        message_limit: config.rate_limits.is_on().then_some(limit),
        grpc_advertise: config.grpc_advertise(bound, reachable),
        cluster_token: config.cluster_token.as_ref().map(|t| t.expose().to_owned()),
        run_deadline_ms: deadline * 1000,
        drain_spread: DRAIN_SPREAD,
        // One process alone has no load balancer that could send its clients elsewhere.
        drain_linger: if foundation.sole {
            Duration::ZERO
        } else {
            DRAIN_LINGER
        },
        trusted_proxies: trusted_proxies(config)?,
    };
    let deps = lingxi_gateway::Deps {
        im: foundation.im.clone(),
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        cache: foundation.cache.clone(),
        budget: lingxi_runtime::budget::Budget::new(MEMORY),
    };
    let admin = if with_admin {
        lingxi_admin_api::router(foundation.im.clone())
    } else {
        axum::Router::new()
    };
    Ok(lingxi_gateway::start(
        options, deps, listeners, admin, workers,
    )?)
}
