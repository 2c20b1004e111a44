//! Everything in one process: the roles of a cluster on an in-process bus and cache and one SQLite file.

use std::time::Duration;

use anyhow::Context as _;
use lingxi_bus::local::LocalBus;
use lingxi_cache::local::LocalCache;
use lingxi_gateway::{Listeners, MessageLimit};
use lingxi_im::{Im, ImConfig};
use lingxi_runtime::config::{Config, SessionPolicy};
use lingxi_runtime::data_dir::{DataDirLock, embedded_secret};
use lingxi_runtime::health::{self, Readiness};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_runtime::{listener, metrics, telemetry};
use lingxi_store::{Location, Store};

/// How long the workers may take to finish once the gateway has drained.
const FINISH: Duration = Duration::from_secs(10);
/// Over what time clients are told to come back.
const DRAIN_SPREAD: Duration = Duration::from_secs(3);

/// The pieces that every role works with.
pub(crate) struct Foundation {
    pub(crate) store: Store,
    pub(crate) im: Im,
    pub(crate) bus: lingxi_bus::SharedBus,
    pub(crate) cache: lingxi_cache::SharedCache,
    pub(crate) partitions: u16,
    /// Held as long as the process runs.
    _lock: DataDirLock,
}

/// Locks the data folder and opens what is in it.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Foundation> {
    let lock = DataDirLock::acquire(&config.data_dir)?;
    let jwt_secret = match &config.jwt_secret {
        Some(secret) => secret.clone(),
        None => embedded_secret(&lock)?,
    };
    let store = Store::open(&Location::Sqlite(config.sqlite_path())).await?;
    let partitions = install_partitions(&store, config.partitions).await?;
    let bus = LocalBus::shared(partitions);
    let cache = LocalCache::shared();
    let im = Im::new(lingxi_im::Deps {
        store: store.clone(),
        bus: bus.clone(),
        cache: cache.clone(),
        config: ImConfig {
            jwt_secret: jwt_secret.expose().as_bytes().to_vec(),
            jwt_ttl_hours: i64::from(config.jwt_ttl_hours),
            bcrypt_cost: config.bcrypt_cost,
            rate_limits: config.rate_limits.is_on(),
            logins_per_minute: config.rate.logins_per_minute,
            registers_per_minute: config.rate.registers_per_minute,
            partitions,
        },
    });
    Ok(Foundation {
        store,
        im,
        bus,
        cache,
        partitions,
        _lock: lock,
    })
}

/// The number of partitions decides who orders what: it stays what it was when the database was made.
async fn install_partitions(store: &Store, wanted: u16) -> anyhow::Result<u16> {
    let kept = store
        .install_setting("partitions", &wanted.to_string())
        .await?;
    let kept: u16 = kept
        .parse()
        .context("the database's number of partitions")?;
    if kept != wanted {
        tracing::warn!(
            kept,
            wanted,
            "the number of partitions is fixed when a database is made; it stays"
        );
    }
    Ok(kept)
}

/// Runs until SIGTERM or SIGINT, then drains: clients are sent away, what was taken in is committed and pushed.
pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    config.mode()?;
    let telemetry = telemetry::init(&config, "lingxi")?;
    metrics::install()?;
    let signal = Shutdown::new();
    signal.on_signals().context("cannot listen for signals")?;
    let public = listener::bind("listen", &config.listen).await?;
    let internal = listener::bind("internal_listen", &config.internal_listen).await?;
    let grpc = listener::bind("grpc_listen", &config.grpc_listen).await?;
    let address = public.local_addr()?;

    let foundation = open(&config).await?;
    let workers = Shutdown::new();
    start_chat_worker(&foundation, &workers).await?;
    start_ai_worker(&config, &foundation, &workers);
    let grpc_advertise = config.grpc_advertise(grpc.local_addr()?);
    let gateway = start_gateway(
        &config,
        &foundation,
        Listeners { public, grpc },
        grpc_advertise,
        &workers,
    )?;

    let readiness = Readiness::new();
    let store = foundation.store.clone();
    readiness.register("store", move || {
        let store = store.clone();
        async move { store.ping().await.map_err(|e| e.to_string()) }
    });
    tokio::spawn(health::serve(internal, readiness, signal.clone()));
    tracing::info!("Lingxi is ready at http://{address}");

    signal.cancelled().await;
    gateway.drain().await;
    workers.trigger();
    if let Err(left) = workers.wait_all(FINISH).await {
        tracing::error!(%left, "some tasks did not end");
    }
    foundation.store.close().await;
    tracing::info!("stopped");
    telemetry.shutdown().await;
    Ok(())
}

async fn start_chat_worker(foundation: &Foundation, workers: &Shutdown) -> anyhow::Result<()> {
    // The data folder's lock says that nobody else can own a partition.
    let options = lingxi_chat_worker::Options {
        partitions: foundation.partitions,
        sole: true,
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

fn start_ai_worker(config: &Config, foundation: &Foundation, workers: &Shutdown) {
    let deps = lingxi_ai_worker::Deps {
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        cache: foundation.cache.clone(),
        im: foundation.im.clone(),
    };
    let (config, shutdown) = (config.clone(), workers.clone());
    workers.spawn("AI worker", async move {
        if let Err(error) = lingxi_ai_worker::run(&config, deps, shutdown).await {
            tracing::error!(%error, "the AI worker cannot work; questions wait");
        }
    });
}

fn start_gateway(
    config: &Config,
    foundation: &Foundation,
    listeners: Listeners,
    grpc_advertise: String,
    workers: &Shutdown,
) -> anyhow::Result<lingxi_gateway::Gateway> {
    let limit = MessageLimit {
        per_second: f64::from(config.rate.messages_per_second),
        burst: f64::from(config.rate.message_burst),
    };
    let deadline = i64::try_from(config.ai.deadline_seconds).unwrap_or(i64::MAX / 1000);
    let options = lingxi_gateway::Options {
        partitions: foundation.partitions,
        session_policy: match config.sessions.policy {
            SessionPolicy::Single => lingxi_gateway::SessionPolicy::Single,
            SessionPolicy::Multi => lingxi_gateway::SessionPolicy::Multi,
        },
        heartbeat: Duration::from_millis(config.heartbeat.interval_ms),
        message_limit: config.rate_limits.is_on().then_some(limit),
        grpc_advertise,
        cluster_token: config.cluster_token.as_ref().map(|t| t.expose().to_owned()),
        run_deadline_ms: deadline * 1000,
        drain_spread: DRAIN_SPREAD,
    };
    let deps = lingxi_gateway::Deps {
        im: foundation.im.clone(),
        store: foundation.store.clone(),
        bus: foundation.bus.clone(),
        cache: foundation.cache.clone(),
    };
    let admin = lingxi_admin_api::router(foundation.im.clone());
    Ok(lingxi_gateway::start(
        options, deps, listeners, admin, workers,
    )?)
}
