//! The roles, and a process that runs any of them: one in a cluster, all of them by default.

use std::time::Duration;

use anyhow::Context as _;
use lingxi_ai_worker::providers::Choice;
use lingxi_gateway::Listeners;
use lingxi_http::internal;
use lingxi_runtime::budget::Budget;
use lingxi_runtime::config::{Config, SessionPolicy};
use lingxi_runtime::health::Readiness;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_runtime::{listener, metrics, telemetry};
use tokio::net::TcpListener;

use crate::foundation::{self, Foundation};

/// Connections that a user may have where they may have several.
const SOCKETS_PER_USER: usize = 16;
/// How long the edge may take to drain, and then the workers to finish.
const FINISH: Duration = Duration::from_secs(10);
/// Bytes that a process may hold for its clients.
const MEMORY: usize = 96 * 1024 * 1024;
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
    let (edge, workers) = (Shutdown::new(), Shutdown::new());
    let budget = Budget::new(MEMORY);
    if has(Role::ChatWorker) {
        start_chat_worker(&foundation, &workers).await?;
    }
    if has(Role::AiWorker) {
        start_ai_worker(&config, &foundation, &workers)?;
    }
    match (public, grpc) {
        (Some(public), Some(grpc)) => {
            let listeners = Listeners { public, grpc };
            let with_admin = has(Role::AdminApi);
            start_gateway(&config, &foundation, budget, listeners, with_admin, &edge).await?;
        }
        (Some(public), None) => {
            let options = lingxi_admin_api::Options {
                http: http_options(&config)?,
            };
            let deps = lingxi_admin_api::Deps {
                im: foundation.im.clone(),
                budget,
            };
            let listeners = lingxi_admin_api::Listeners { public };
            lingxi_admin_api::run(options, deps, listeners, &edge).await?;
        }
        _ => {}
    }

    let readiness = Readiness::new();
    foundation.register(&readiness);
    let probes = Shutdown::new();
    probes.spawn("internal port", {
        let (signal, own) = (signal.clone(), probes.clone());
        async move { internal::serve(internal, readiness, signal, &own).await }
    });
    for (name, fact) in foundation.facts() {
        tracing::info!("{name}: {fact}");
    }
    match address {
        Some(address) => tracing::info!("{service} is ready at http://{address}"),
        None => tracing::info!("{service} is ready"),
    }

    tokio::select! {
        () = signal.cancelled() => {}
        () = edge.cancelled() => {}
        () = workers.cancelled() => {}
    }
    for part in [&edge, &workers] {
        part.trigger();
        if let Err(left) = part.wait_all(FINISH).await {
            tracing::error!(%left, "some tasks did not end");
        }
    }
    foundation.store.close().await;
    tracing::info!("stopped");
    telemetry.shutdown().await;
    match edge.failed().or(workers.failed()) {
        Some(task) => {
            anyhow::bail!("the task {task:?} failed, see the log; start the process again")
        }
        None => Ok(()),
    }
}

fn http_options(config: &Config) -> anyhow::Result<lingxi_http::Options> {
    let trusted_proxies = config
        .trusted_proxies()
        .map_err(|part| anyhow::anyhow!("trusted_proxies: {part:?} is no address"))?;
    let default = lingxi_http::Options::default();
    Ok(lingxi_http::Options {
        trusted_proxies,
        in_flight: default.in_flight.filter(|_| config.rate_limits.is_on()),
        ..default
    })
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
    lingxi_chat_worker::run(options, deps, workers)
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

async fn start_gateway(
    config: &Config,
    foundation: &Foundation,
    budget: Budget,
    listeners: Listeners,
    with_admin: bool,
    edge: &Shutdown,
) -> anyhow::Result<()> {
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
        http: http_options(config)?,
    };
    let beside = if with_admin {
        lingxi_admin_api::routes(foundation.im.clone())
    } else {
        lingxi_http::Routes::new()
    };
    let deps = lingxi_gateway::Deps {
        im: foundation.im.clone(),
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        cache: foundation.cache.clone(),
        budget,
        beside,
    };
    lingxi_gateway::run(options, deps, listeners, edge).await?;
    Ok(())
}
