//! What every role works with: the store, the bus and the cache, in one process or of a cluster.

mod places;

use std::future::Future;
use std::net::{IpAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use anyhow::Context as _;
use lingxi_bus::SharedBus;
use lingxi_bus::local::LocalBus;
use lingxi_bus::nats::NatsBus;
use lingxi_cache::SharedCache;
use lingxi_cache::local::LocalCache;
use lingxi_cache::redis;
use lingxi_files::Blobs;
use lingxi_files::settings::Files;
use lingxi_im::{FileLimits, Im, ImConfig, RunLimits};
use lingxi_runtime::config::Secret;
use lingxi_runtime::data_dir::{DataDirLock, embedded_secret};
use lingxi_runtime::health::Readiness;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::Store;
use tokio::time::Instant;

use crate::config::{Config, Mode};

pub(crate) use places::{location, nats_options, redis_options};

/// Between two attempts to reach what is not there yet.
const PAUSE: Duration = Duration::from_millis(500);

/// The pieces that every role works with.
pub(crate) struct Foundation {
    pub(crate) store: Store,
    pub(crate) im: Im,
    pub(crate) bus: SharedBus,
    pub(crate) cache: SharedCache,
    pub(crate) partitions: u16,
    /// Whether nobody else can be using the store.
    pub(crate) sole: bool,
    /// The shared cache of a cluster, which may be away.
    redis: Option<redis::Guarded>,
    /// Held as long as the process runs.
    _lock: Option<DataDirLock>,
}

/// Opens everything, whose tasks belong to `base`; the place for files only where `keeps_files`. What cannot be reached is tried again for as long as `wait_for` says; what refuses is an error at once.
pub(crate) async fn open(
    config: &Config,
    name: &str,
    wait_for: Duration,
    keeps_files: bool,
    base: &Shutdown,
) -> anyhow::Result<Foundation> {
    let deadline = Instant::now() + wait_for;
    let mode = config.mode()?;
    let alone = mode == Mode::Embedded;
    // Where a data folder is another process's, nothing is made in it.
    let files = || match keeps_files {
        true => config.files.open(&config.data_dir, alone, base),
        false => Ok(Blobs::none()),
    };
    match mode {
        Mode::Embedded => embedded(config, files, base).await,
        Mode::Cluster => cluster(config, name, deadline, (files()?, base)).await,
    }
}

async fn embedded(
    config: &Config,
    files: impl FnOnce() -> lingxi_files::Result<Blobs>,
    base: &Shutdown,
) -> anyhow::Result<Foundation> {
    let lock = DataDirLock::acquire(&config.data_dir)?;
    let jwt_secret = match &config.jwt_secret {
        Some(secret) => secret.clone(),
        None => embedded_secret(&lock)?,
    };
    let store = Store::open(&location(config)?).await?;
    let partitions = install_partitions(&store, config.partitions).await?;
    let bus = LocalBus::within(base, partitions);
    let cache = LocalCache::shared();
    let shared = (&store, &bus, &cache, files()?);
    let im = im(config, &jwt_secret, shared, partitions)?;
    Ok(Foundation {
        store,
        im,
        bus,
        cache,
        partitions,
        sole: true,
        redis: None,
        _lock: Some(lock),
    })
}

async fn cluster(
    config: &Config,
    name: &str,
    deadline: Instant,
    (files, base): (Blobs, &Shutdown),
) -> anyhow::Result<Foundation> {
    let location = location(config)?;
    let store = patiently(deadline, "database", async || {
        Store::open(&location).await.map_err(|error| {
            let away = matches!(error, lingxi_store::Error::Unavailable(_));
            (error, away)
        })
    })
    .await?;
    let partitions = install_partitions(&store, config.partitions).await?;
    let options = nats_options(config, name, partitions);
    let bus = patiently(deadline, "message bus", async || {
        NatsBus::within(base, options.clone())
            .await
            .map_err(|error| {
                let away = matches!(error, lingxi_bus::Error::Unavailable(_));
                (error, away)
            })
    })
    .await?;
    // Redis away makes things slower, never wrong: it is not waited for.
    let redis = redis::Guarded::connect(redis_options(config)?)
        .await
        .context("redis_url")?;
    let cache: SharedCache = std::sync::Arc::new(redis.clone());
    // `mode` has checked that there is one.
    let secret = config.jwt_secret.clone().context("jwt_secret")?;
    let shared = (&store, &bus, &cache, files);
    let im = im(config, &secret, shared, partitions)?;
    Ok(Foundation {
        store,
        im,
        bus,
        cache,
        partitions,
        sole: false,
        redis: Some(redis),
        _lock: None,
    })
}

fn im(
    config: &Config,
    jwt_secret: &Secret,
    (store, bus, cache, files): (&Store, &SharedBus, &SharedCache, Blobs),
    partitions: u16,
) -> anyhow::Result<Im> {
    Ok(Im::new(lingxi_im::Deps {
        store: store.clone(),
        bus: bus.clone(),
        cache: cache.clone(),
        files,
        config: ImConfig {
            jwt_secret: jwt_secret.expose().as_bytes().to_vec(),
            jwt_ttl_hours: i64::from(config.jwt_ttl_hours),
            bcrypt_cost: config.bcrypt_cost,
            rate_limits: config.rate_limits.is_on(),
            rates: config.rate.rates(config.limits.invitations_per_minute),
            groups_per_user: config.limits.groups_per_user,
            runs: RunLimits {
                at_once: config.ai.runs_at_once,
                subscribers: config.limits.followers_per_user,
            },
            files: file_limits(&config.files),
            partitions,
            webhooks: config.webhooks.reach()?,
        },
    }))
}

fn file_limits(files: &Files) -> FileLimits {
    FileLimits {
        bytes_per_day: i64::from(files.mib_per_day) * 1024 * 1024,
        uploads_per_user: files.uploads_per_user,
        uploads: files.uploads,
        unsent: Duration::from_secs(files.unsent_seconds),
        link: Duration::from_secs(files.link_seconds),
    }
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

/// Tries until it works, until it fails for another reason than that something is away, or until `deadline`.
pub(crate) async fn patiently<T, E, F>(
    deadline: Instant,
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    E: std::fmt::Display,
    F: Future<Output = Result<T, (E, bool)>>,
{
    let mut told = false;
    loop {
        match attempt().await {
            Ok(done) => return Ok(done),
            Err((error, away)) if !away || Instant::now() + PAUSE > deadline => return Err(error),
            Err((error, _)) if !told => {
                told = true;
                tracing::warn!(%error, "waiting for the {what}");
            }
            Err(_) => {}
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Foundation {
    /// Lets go of the servers, when nobody works with them any more.
    pub(crate) async fn close(&self) {
        self.bus.close();
        self.store.close().await;
    }

    /// What `/readyz` asks and states.
    pub(crate) fn register(&self, readiness: &Readiness) {
        let store = self.store.clone();
        readiness.register("store", move || {
            let store = store.clone();
            async move {
                #[cfg(feature = "sabotage")]
                if std::env::var("LINGXI_SABOTAGE")
                    .is_ok_and(|named| named == "readiness-only-reads")
                {
                    return store.ping().await.map_err(|e| e.to_string());
                }
                store.check_write().await.map_err(|e| e.to_string())
            }
        });
        let bus = self.bus.clone();
        readiness.register("bus", move || {
            let bus = bus.clone();
            async move { bus.check().await.map_err(|e| e.to_string()) }
        });
        if let Some(redis) = self.redis.clone() {
            readiness.register_optional("cache", move || {
                let redis = redis.clone();
                async move { redis.status() }
            });
        }
        for (name, fact) in self.facts() {
            readiness.state(name, fact);
        }
    }

    /// What an acknowledged message relies on, as read back.
    pub(crate) fn facts(&self) -> [(&'static str, String); 2] {
        [
            ("store", self.store.durability().summary),
            ("bus", self.bus.describe()),
        ]
    }
}

/// The address by which this machine is seen by the others: the one it reaches the bus from.
pub(crate) fn reachable_address(config: &Config) -> Option<IpAddr> {
    config.nats_url.as_deref()?.split(',').find_map(towards)
}

/// This machine's address on the way to a server of the bus, if the server's name is known.
fn towards(server: &str) -> Option<IpAddr> {
    let host = server.trim().trim_end_matches('/');
    let host = host.rsplit(['@', '/']).next()?;
    let host = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:4222")
    };
    let server = host.to_socket_addrs().ok()?.next()?;
    let any: IpAddr = if server.is_ipv4() {
        [0, 0, 0, 0].into()
    } else {
        std::net::Ipv6Addr::UNSPECIFIED.into()
    };
    // Connecting a datagram socket sends nothing; it picks the way.
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(server).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests;
