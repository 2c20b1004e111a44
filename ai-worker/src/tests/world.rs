//! Everything around a worker.

use std::time::Duration;

use futures_util::FutureExt as _;
use lingxi_bench::simulator::{Script, Simulator};
use lingxi_bus::local::LocalBus;
use lingxi_bus::{Lane, SharedBus, Subject};
use lingxi_cache::local::LocalCache;
use lingxi_domain::UserId;
use lingxi_domain::run::RunKind;
use lingxi_im::{Im, ImConfig, Registration};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{CreatedRun, Location, NewRun, Run, Store};

use super::gateway::Gateway;
use crate::settings::{Ai, Provider};
use crate::{Deps, Options};

/// The gateway's name in the store.
const GATEWAY: &str = "gateway-1";

pub(crate) struct World {
    pub(crate) deps: Deps,
    pub(super) config: Options,
    pub(super) gateway: Gateway,
    pub(super) simulator: Simulator,
    pub(crate) alice: UserId,
    _folder: tempfile::TempDir,
}

/// A worker that was started.
pub(super) struct Node {
    pub(super) shutdown: Shutdown,
}

impl Node {
    /// As kill -9 would: nothing is finished or given back.
    pub(super) async fn kill(self) {
        self.shutdown.abort_all();
        self.shutdown.drained().await;
    }

    pub(super) async fn drained(self) {
        self.shutdown.trigger();
        let within = Duration::from_secs(15);
        self.shutdown.wait_all(within).await.unwrap();
    }
}

impl World {
    pub(crate) async fn with(script: Script) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("test.db")))
            .await
            .unwrap();
        let (bus, cache): (SharedBus, _) = (LocalBus::shared(4), LocalCache::shared());
        let config = ImConfig {
            jwt_secret: vec![7; 32],
            jwt_ttl_hours: 1,
            bcrypt_cost: 4,
            rate_limits: false,
            rates: lingxi_im::Rates::default(),
            groups_per_user: 1000,
            runs: lingxi_im::RunLimits::default(),
            files: Default::default(),
            partitions: 4,
            webhooks: Default::default(),
        };
        store.create_leases(4).await.unwrap();
        let deps = lingxi_im::Deps {
            store: store.clone(),
            bus: bus.clone(),
            cache,
            files: lingxi_im::Blobs::none(),
            config,
        };
        let im = Im::new(deps);
        let simulator = Simulator::start(script).await.unwrap();
        let mut ai = Ai::defaults().unwrap();
        let mut provider = Provider::new("simulator", simulator.base_url(), "simulator");
        provider.api_key = Some("secret".into());
        (provider.first_token_ms, provider.idle_ms) = (700, 700);
        ai.providers = vec![provider];
        let config = Options {
            ai,
            cluster_token: None,
        };
        let gateway = Gateway::start().await;
        store
            .announce_gateway(GATEWAY, &gateway.address, 600_000)
            .await
            .unwrap();
        let mut world = Self {
            deps: Deps { store, bus, im },
            config,
            gateway,
            simulator,
            alice: 0,
            _folder: folder,
        };
        world.alice = world.user("alice").await;
        world.user("bob").await;
        world
    }

    pub(super) async fn user(&self, name: &str) -> UserId {
        let registration = Registration {
            username: name.into(),
            password: "password".into(),
            nickname: None,
        };
        self.deps
            .im
            .accounts()
            .register(&registration, None)
            .await
            .unwrap()
    }

    pub(super) fn worker(&self) -> Node {
        let shutdown = Shutdown::new();
        let started = crate::run(self.config.clone(), self.deps.clone(), &shutdown);
        // There is nothing that it waits for.
        started.now_or_never().unwrap().unwrap();
        Node { shutdown }
    }

    /// Asks as a gateway does: the row first, then the queue. The subscriber has the run's name.
    pub(crate) async fn ask(&self, id: &str, kind: RunKind, input: &str) -> Run {
        self.ask_within(id, kind, input, 60_000).await
    }

    pub(super) async fn ask_within(
        &self,
        id: &str,
        kind: RunKind,
        input: &str,
        deadline_ms: i64,
    ) -> Run {
        self.ask_as(self.alice, id, kind, input, deadline_ms).await
    }

    pub(super) async fn ask_as(
        &self,
        user_id: UserId,
        id: &str,
        kind: RunKind,
        input: &str,
        deadline_ms: i64,
    ) -> Run {
        let new = NewRun {
            id,
            user_id,
            kind,
            lane: Lane::Interactive.as_str(),
            conversation: None,
            input,
            idempotency_key: None,
            deadline_ms,
        };
        let CreatedRun::New(run) = self.deps.store.create_run(&new).await.unwrap() else {
            panic!("not new")
        };
        let request = RunRequest {
            run_id: id.into(),
            watcher: Some(self.watcher(id, 0, 1)),
            user_id,
        };
        self.deps
            .bus
            .enqueue(Lane::Interactive, request.encode_to_vec().into())
            .await
            .unwrap();
        run
    }

    pub(super) fn watcher(&self, sink: &str, after: i64, session: u32) -> Watcher {
        Watcher {
            node: GATEWAY.into(),
            sink_id: sink.into(),
            after,
            session,
            gone: false,
        }
    }

    /// Asks on the bus to follow a run, until somebody answers.
    pub(super) async fn attach(&self, run: &str, watcher: Watcher) {
        let payload = RunRequest {
            run_id: run.into(),
            watcher: Some(watcher),
            ..RunRequest::default()
        }
        .encode_to_vec();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let subject = Subject::RunAttach(run.into());
            let pending = self
                .deps
                .bus
                .request(&subject, payload.clone().into(), Duration::from_secs(1))
                .await
                .unwrap();
            if pending.wait().await.is_ok() {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "nobody runs {run}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn finished(&self, run: &str) -> Run {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let row = self.deps.store.run(run).await.unwrap().unwrap();
            if row.state.is_final() {
                return row;
            }
            assert!(tokio::time::Instant::now() < deadline, "{row:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What a client that comes late is told.
    pub(crate) async fn replay(&self, run: &str) -> Vec<lingxi_domain::run::RunEvent> {
        let steps = self.deps.store.run_steps(run).await.unwrap();
        steps
            .into_iter()
            .flat_map(|step| step.events)
            .map(|stamped| stamped.event)
            .collect()
    }

    pub(super) async fn groups(&self) -> Vec<lingxi_im::Group> {
        self.deps.im.groups().mine(self.alice).await.unwrap()
    }
}
