//! Following runs: a real gateway and store, the bus, and a worker that the test plays.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use lingxi_bus::local::LocalBus;
use lingxi_bus::{Lane, Message as BusMessage, Subject, Subscription};
use lingxi_cache::local::LocalCache;
use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::{RunEvent, RunState, Usage};
use lingxi_im::{Im, ImConfig, Registration};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use lingxi_proto::sink::AiEvent;
use lingxi_proto::sink::token_sink_client::TokenSinkClient;
use lingxi_runtime::budget::Budget;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{Claim, FinishedRun, Location, NewStep, StepKind, Store};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tower::ServiceExt as _;

use super::subscriber::{Subscriber, Told};
use crate::state::AppState;
use crate::{Deps, Listeners, Options, SessionPolicy};

struct Gateway {
    state: AppState,
}

struct World {
    gateway: Gateway,
    router: Router,
    to_gateway: mpsc::Sender<AiEvent>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
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
        let gateway = Gateway { state };
        let (to_gateway, events) = mpsc::channel(64);
        let mut client = TokenSinkClient::connect(format!("http://{grpc}"))
            .await
            .unwrap();
        tokio::spawn(async move { client.push(ReceiverStream::new(events)).await });
        let routes = crate::routes(&gateway.state);
        let router = lingxi_http::app(
            routes,
            &lingxi_http::Options::default(),
            gateway.state.im.clone(),
            Budget::new(1 << 24),
            grpc,
        );
        Self {
            gateway,
            router,
            to_gateway,
            _folder: folder,
        }
    }

    fn state(&self) -> AppState {
        self.gateway.state.clone()
    }

    async fn user(&self, name: &str) -> String {
        let accounts = self.gateway.state.im.accounts();
        let new = Registration {
            username: name.into(),
            password: "password".into(),
            nickname: None,
        };
        accounts.register(&new, None).await.unwrap();
        accounts.login(name, "password", None).await.unwrap().token
    }

    async fn ask(&self, token: &str, body: Value) -> axum::response::Response {
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

    async fn get(&self, token: &str, path: &str, last: Option<&str>) -> axum::response::Response {
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
    async fn take(&self) -> (String, Watcher) {
        let job = self.gateway.state.bus.dequeue(&Lane::ALL).await.unwrap();
        let request = RunRequest::decode(job.payload.clone()).unwrap();
        job.done();
        let claim = self
            .gateway
            .state
            .store
            .claim_run(&request.run_id, "w")
            .await
            .unwrap();
        assert!(matches!(claim, Claim::Mine(_)), "{claim:?}");
        (request.run_id, request.watcher.unwrap())
    }

    async fn send(&self, watcher: &Watcher, attempt: i64, events: &[StampedEvent]) {
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
    async fn finish(&self, run: &str, attempt: i64, generation: u32, events: &[StampedEvent]) {
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
        self.gateway
            .state
            .store
            .finish_run(run, attempt, &end)
            .await
            .unwrap();
    }

    /// Requests to follow a run, each answered at once.
    async fn listen(&self, run: &str) -> (Subscription, mpsc::Receiver<Watcher>) {
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
        let bus = &self.gateway.state.bus;
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

fn id(generation: u32, position: u32) -> EventId {
    EventId {
        generation,
        position,
    }
}

fn chunk(generation: u32, position: u32, text: &str) -> StampedEvent {
    StampedEvent {
        id: id(generation, position),
        event: RunEvent::Chunk {
            content: text.into(),
        },
    }
}

fn done(generation: u32, position: u32) -> StampedEvent {
    let event = RunEvent::Done {
        content: String::new(),
        usage: Usage::default(),
        finish_reason: "stop".into(),
    };
    StampedEvent {
        id: id(generation, position),
        event,
    }
}

async fn next(subscriber: &mut Subscriber) -> Option<Told> {
    tokio::time::timeout(Duration::from_secs(10), subscriber.next())
        .await
        .unwrap()
}

async fn request(requests: &mut mpsc::Receiver<Watcher>) -> Watcher {
    let request = tokio::time::timeout(Duration::from_secs(10), requests.recv()).await;
    request.expect("nobody asks to follow the run").unwrap()
}

fn content(told: &Told) -> String {
    let value: Value = serde_json::from_slice(&told.json).unwrap();
    value["content"].as_str().unwrap_or_default().to_owned()
}

async fn body(response: axum::response::Response) -> Vec<(i64, Value)> {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let bytes = tokio::time::timeout(
        Duration::from_secs(10),
        to_bytes(response.into_body(), usize::MAX),
    )
    .await;
    let text = String::from_utf8(bytes.unwrap().unwrap().to_vec()).unwrap();
    let events = text.split("\n\n").filter(|block| block.contains("data:"));
    let line = |block: &str, name: &str| {
        let line = block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.trim().to_owned()
    };
    events
        .map(|block| {
            (
                line(block, "id:").parse().unwrap(),
                serde_json::from_str(&line(block, "data:")).unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_question_is_committed_queued_and_streamed() {
    let world = World::new().await;
    let token = world.user("alice").await;
    let response = world
        .ask(&token, json!({"message": "hello", "idempotency_key": "k"}))
        .await;
    let (run, watcher) = world.take().await;
    let events = [chunk(1, 5, "你x"), done(1, 6)];
    world.send(&watcher, 1, &events).await;
    world.finish(&run, 1, 1, &events).await;
    let live = body(response).await;
    let ids: Vec<i64> = live.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [id(1, 1), id(1, 5), id(1, 6)].map(EventId::to_i64));
    assert_eq!(live[0].1, json!({"type": "run", "run_id": run}));
    assert_eq!(live[1].1["content"], "你x");
    // The same question again, and coming back to it, from every place.
    let again = world
        .ask(&token, json!({"message": "hello", "idempotency_key": "k"}))
        .await;
    assert_eq!(body(again).await, live);
    let path = format!("{run}/events");
    assert_eq!(body(world.get(&token, &path, None).await).await, live);
    assert_eq!(
        body(world.get(&token, &path, Some(&ids[1].to_string())).await).await,
        live[2..]
    );
    let by_query = format!("{path}?last_event_id={}", ids[0]);
    assert_eq!(
        body(world.get(&token, &by_query, None).await).await,
        live[1..]
    );
    let inside = id(1, 4).to_i64().to_string();
    let rest = body(world.get(&token, &path, Some(&inside)).await).await;
    assert_eq!((rest[0].0, &rest[0].1["content"]), (ids[1], &json!("x")));
    // Inside a character, beyond the end, in a generation that never was.
    for never in [id(1, 3), id(1, 7), id(2, 4), id(0, 4), id(1, 0)] {
        let never = never.to_i64().to_string();
        assert_eq!(
            world.get(&token, &path, Some(&never)).await.status(),
            400,
            "{never}"
        );
    }
    assert_eq!(
        body(world.get(&token, &path, Some(&ids[2].to_string())).await).await,
        []
    );
    // Not for others, and not with nonsense.
    let eve = world.user("eve").await;
    assert_eq!(world.get(&eve, &path, None).await.status(), 404);
    assert_eq!(world.get(&token, "none/events", None).await.status(), 404);
    assert_eq!(world.get("", &path, None).await.status(), 401);
    assert_eq!(world.get(&token, &path, Some("x")).await.status(), 400);
    let other = world
        .ask(&token, json!({"message": "other", "idempotency_key": "k"}))
        .await;
    assert_eq!(other.status(), 409);
    for (bad, status) in [
        (json!({"message": ""}), 400),
        (json!({"message": "x".repeat(17 * 1024)}), 413),
        (json!({"message": "x", "idempotency_key": ""}), 400),
        (
            json!({"message": "x", "idempotency_key": "k".repeat(129)}),
            400,
        ),
    ] {
        assert_eq!(
            world.ask(&token, bad.clone()).await.status(),
            status,
            "{bad}"
        );
    }
}

/// A subscriber of a new run, its watcher, and the run.
async fn asked(world: &World) -> (Subscriber, Watcher, String) {
    let token = world.user("alice").await;
    drop(world.ask(&token, json!({"message": "hello"})).await);
    let (run, _) = world.take().await;
    let state = world.state();
    let who = state.im.accounts().authenticate(&token).await.unwrap();
    let row = state.im.runs().find(who.user_id, &run).await.unwrap();
    let place = state
        .subscribers
        .register(&who, |_| Ok::<_, ()>(()))
        .unwrap();
    // As it was created: it is claimed by now.
    let row = lingxi_store::Run {
        generation: 1,
        ..row
    };
    let (mut subscriber, watcher) = Subscriber::asking(state, &row, place);
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(1, 1));
    (subscriber, watcher, run)
}

#[tokio::test]
async fn a_run_that_ends_unseen_is_told_from_the_store() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    world.send(&watcher, 1, &[chunk(1, 4, "abc")]).await;
    assert_eq!(content(&next(&mut subscriber).await.unwrap()), "abc");
    // The rest never comes over the stream: the worker committed and died.
    world
        .finish(&run, 1, 1, &[chunk(1, 7, "abcdef"), done(1, 8)])
        .await;
    assert_eq!(content(&next(&mut subscriber).await.unwrap()), "def");
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(1, 8));
    assert_eq!(next(&mut subscriber).await, None);
}

#[tokio::test]
async fn what_is_lost_on_the_way_is_asked_for_again() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    let (_listening, mut requests) = world.listen(&run).await;
    world.send(&watcher, 1, &[chunk(1, 4, "abc")]).await;
    assert_eq!(content(&next(&mut subscriber).await.unwrap()), "abc");
    // "def" is lost; what follows it does not fit.
    world.send(&watcher, 1, &[chunk(1, 10, "ghi")]).await;
    let asking = tokio::spawn(async move { (next(&mut subscriber).await, subscriber) });
    let second = request(&mut requests).await;
    assert_eq!(
        (second.after, second.session),
        (id(1, 4).to_i64(), watcher.session + 1)
    );
    // The first request's events do not count any more, whatever they are.
    world.send(&watcher, 1, &[chunk(1, 7, "XXX")]).await;
    world
        .send(&second, 1, &[chunk(1, 10, "defghi"), done(1, 11)])
        .await;
    let (told, mut subscriber) = asking.await.unwrap();
    assert_eq!(content(&told.unwrap()), "defghi");
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(1, 11));
    assert_eq!(next(&mut subscriber).await, None);
}

#[tokio::test]
async fn a_worker_that_takes_over_is_asked_from_where_the_client_stands() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    let (_listening, mut requests) = world.listen(&run).await;
    world.send(&watcher, 1, &[chunk(1, 4, "abc")]).await;
    next(&mut subscriber).await.unwrap();
    // Another worker got the job again: it begins behind the first event, in a generation of its own.
    world.send(&watcher, 2, &[chunk(2, 3, "no")]).await;
    let asking = tokio::spawn(async move { (next(&mut subscriber).await, subscriber) });
    let second = request(&mut requests).await;
    assert_eq!(second.after, id(1, 4).to_i64());
    let reset = RunEvent::Reset {
        reason: "taken_over".into(),
        after: id(1, 1).to_i64(),
    };
    let reset = StampedEvent {
        id: id(2, 1),
        event: reset,
    };
    world
        .send(&second, 2, &[reset, chunk(2, 3, "no"), done(2, 4)])
        .await;
    let (told, mut subscriber) = asking.await.unwrap();
    let told: Value = serde_json::from_slice(&told.unwrap().json).unwrap();
    assert_eq!(
        (&told["type"], &told["after"]),
        (&json!("reset"), &json!(id(1, 1).to_i64()))
    );
    assert_eq!(content(&next(&mut subscriber).await.unwrap()), "no");
    // The first one wakes up and goes on: nobody listens to it.
    world.send(&second, 1, &[chunk(1, 9, "defgh")]).await;
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(2, 4));
}

#[tokio::test]
async fn a_client_that_was_too_slow_goes_on_where_it_stands() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    let (_listening, mut requests) = world.listen(&run).await;
    // Far more than may wait, and nobody takes it.
    let text = "x".repeat(8_000);
    let mut at = 1;
    for _ in 0..200 {
        at += 8_000;
        world.send(&watcher, 1, &[chunk(1, at, &text)]).await;
    }
    // The worker is told that nothing more is wanted.
    let gone = request(&mut requests).await;
    assert!(gone.gone && gone.sink_id == watcher.sink_id, "{gone:?}");
    // Read again, it asks for everything behind what its client has: nothing was lost.
    let asking = tokio::spawn(async move { (next(&mut subscriber).await, subscriber) });
    let second = request(&mut requests).await;
    assert_eq!((second.after, second.gone), (id(1, 1).to_i64(), false));
    let whole = "y".repeat(100);
    world
        .send(&second, 1, &[chunk(1, 101, &whole), done(1, 102)])
        .await;
    let (told, mut subscriber) = asking.await.unwrap();
    assert_eq!(content(&told.unwrap()), whole);
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(1, 102));
    assert_eq!(next(&mut subscriber).await, None);
    drop(subscriber);
    assert!(request(&mut requests).await.gone, "its end is told, too");
}

#[tokio::test]
async fn a_worker_that_never_fits_is_asked_ever_more_rarely() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    let (_listening, mut requests) = world.listen(&run).await;
    let reading = tokio::spawn(async move { subscriber.next().await });
    let begun = tokio::time::Instant::now();
    let mut asked = watcher;
    let mut times = 0;
    while begun.elapsed() < Duration::from_secs(2) {
        // It answers each request with what does not fit, at once and many times.
        let wrong: Vec<_> = (0..20).map(|n| chunk(1, 500 + n, "wrong")).collect();
        world.send(&asked, 1, &wrong).await;
        let left = Duration::from_secs(2).saturating_sub(begun.elapsed());
        match tokio::time::timeout(left, requests.recv()).await {
            Ok(next) => asked = next.unwrap(),
            Err(_) => break,
        }
        times += 1;
    }
    assert!((2..=8).contains(&times), "asked {times} times");
    reading.abort();
}

#[tokio::test]
async fn streams_end_with_the_token_that_opened_them() {
    let world = World::new().await;
    let token = world.user("alice").await;
    let response = world.ask(&token, json!({"message": "hello"})).await;
    assert_eq!(response.status(), 200);
    let state = world.state();
    let who = state.im.accounts().authenticate(&token).await.unwrap();
    let out = tokio::time::Instant::now();
    state.im.accounts().logout(&who).await.unwrap();
    let read = to_bytes(response.into_body(), usize::MAX);
    let read = tokio::time::timeout(Duration::from_secs(5), read).await;
    assert!(read.is_ok(), "the stream goes on");
    assert!(
        out.elapsed() < Duration::from_secs(1),
        "{:?}",
        out.elapsed()
    );
}
