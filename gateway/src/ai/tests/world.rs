//! A gateway, and a worker that the test plays.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use lingxi_bus::local::LocalBus;
use lingxi_bus::{Lane, Message as BusMessage, Subject, Subscription};
use lingxi_cache::local::LocalCache;
use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::{RunState, Usage};
use lingxi_im::{Im, ImConfig, Registration};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use lingxi_proto::sink::AiEvent;
use lingxi_proto::sink::token_sink_client::TokenSinkClient;
use lingxi_runtime::budget::Budget;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{Claim, FinishedRun, Location, NewStep, StepKind, Store};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tower::ServiceExt as _;

use crate::state::AppState;
use crate::{Deps, Listeners, Options, SessionPolicy};

/// A gateway with its store and its bus; the test is the worker.
pub(super) struct World {
    state: AppState,
    router: Router,
    to_gateway: mpsc::Sender<AiEvent>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("lingxi.db")))
            .await
            .unwrap();
        let (bus, cache) = (LocalBus::shared(4), LocalCache::shared());
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
        let im = lingxi_im::Deps {
            store: store.clone(),
            bus: bus.clone(),
            cache: cache.clone(),
            files: lingxi_im::Blobs::none(),
            config,
        };
        let deps = Deps {
            im: Im::new(im),
            store,
            bus,
            cache,
            budget: Budget::new(1 << 24),
            beside: lingxi_http::Routes::new(),
        };
        let bind = || TcpListener::bind("127.0.0.1:0");
        let listeners = Listeners {
            public: bind().await.unwrap().into(),
            grpc: bind().await.unwrap().into(),
        };
        let grpc = listeners.grpc.local_addr().unwrap();
        let options = Options {
            sockets_per_user: 16,
            partitions: 4,
            session_policy: SessionPolicy::Single,
            heartbeat: Duration::from_secs(54),
            grpc_advertise: grpc.to_string(),
            cluster_token: None,
            run_deadline_ms: 60_000,
            drain_spread: Duration::ZERO,
            drain_linger: Duration::ZERO,
            unsent_files: Duration::from_secs(86_400),
            http: lingxi_http::Options::default(),
        };
        let shutdown = Shutdown::new();
        let state = crate::start(options, deps, listeners, &shutdown).unwrap();
        let (to_gateway, events) = mpsc::channel(64);
        let mut client = TokenSinkClient::connect(format!("http://{grpc}"))
            .await
            .unwrap();
        tokio::spawn(async move { client.push(ReceiverStream::new(events)).await });
        let routes = crate::routes(&state);
        let router = lingxi_http::app(
            routes,
            &lingxi_http::Options::default(),
            state.im.clone(),
            Budget::new(1 << 24),
            grpc,
        );
        Self {
            state,
            router,
            to_gateway,
            _folder: folder,
        }
    }

    pub(super) fn state(&self) -> AppState {
        self.state.clone()
    }

    pub(super) async fn user(&self, name: &str) -> String {
        let accounts = self.state.im.accounts();
        let new = Registration {
            username: name.into(),
            password: "password".into(),
            nickname: None,
        };
        accounts.register(&new, None).await.unwrap();
        accounts.login(name, "password", None).await.unwrap().token
    }

    pub(super) async fn ask(&self, token: &str, body: Value) -> axum::response::Response {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/api/v1/ai/chat");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.router
            .clone()
            .oneshot(request.body(Body::from(body.to_string())).unwrap())
            .await
            .unwrap()
    }

    pub(super) async fn get(
        &self,
        token: &str,
        path: &str,
        last: Option<&str>,
    ) -> axum::response::Response {
        let request = Request::builder().uri(format!("/api/v1/ai/runs/{path}"));
        let mut request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        self.router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap()
    }

    /// The worker's part: the job of a question, its run claimed.
    pub(super) async fn take(&self) -> (String, Watcher) {
        let job = self.state.bus.dequeue(&Lane::ALL).await.unwrap();
        let request = RunRequest::decode(job.payload.clone()).unwrap();
        job.done();
        let claim = self
            .state
            .store
            .claim_run(&request.run_id, "w")
            .await
            .unwrap();
        assert!(matches!(claim, Claim::Mine(_)), "{claim:?}");
        (request.run_id, request.watcher.unwrap())
    }

    pub(super) async fn send(&self, watcher: &Watcher, attempt: i64, events: &[StampedEvent]) {
        for stamped in events {
            let event = AiEvent {
                sink_id: watcher.sink_id.clone(),
                event_id: stamped.id.to_i64(),
                json: stamped.event.to_json().into(),
                last: stamped.event.is_terminal(),
                after: stamped.start(),
                attempt,
                session: watcher.session,
                detached: false,
            };
            self.to_gateway.send(event).await.unwrap();
        }
    }

    /// Commits the end of a run.
    pub(super) async fn finish(
        &self,
        run: &str,
        attempt: i64,
        generation: u32,
        events: &[StampedEvent],
    ) {
        let position = events.last().unwrap().id.position;
        let last = NewStep {
            step: 9,
            kind: StepKind::End,
            generation,
            position,
            body: "{}",
            events,
        };
        let end = FinishedRun {
            state: RunState::Done,
            answer: "",
            usage: Usage::default(),
            error: None,
            last,
        };
        self.state
            .store
            .finish_run(run, attempt, &end)
            .await
            .unwrap();
    }

    /// Requests to follow a run, each answered at once.
    pub(super) async fn listen(&self, run: &str) -> (Subscription, mpsc::Receiver<Watcher>) {
        struct Listener(mpsc::Sender<Watcher>);
        impl lingxi_bus::Sink for Listener {
            fn deliver(&self, _: &Subject, message: BusMessage) {
                let request = RunRequest::decode(message.payload).unwrap();
                let watcher = request.watcher.unwrap();
                if let Some(reply) = message.reply {
                    reply.reply(axum::body::Bytes::new());
                }
                let _ = self.0.try_send(watcher);
            }
        }
        let (sender, requests) = mpsc::channel(16);
        let bus = &self.state.bus;
        let subscription = bus
            .subscribe(
                Subject::RunAttach(run.into()),
                None,
                Arc::new(Listener(sender)),
            )
            .await;
        (subscription.unwrap(), requests)
    }
}
