//! Who is sent events, and who is not.

use std::time::Duration;

use lingxi_bench::simulator::{Fault, Reply, Script};
use lingxi_bus::Subject;
use lingxi_domain::event_id::EventId;
use lingxi_domain::run::{RunEvent, RunKind};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use tokio::net::TcpListener;

use super::gateway::{parse, text};
use super::world::World;

fn stalls() -> Script {
    Script::always(Reply::text("灵犀一点通").fault(Fault::Stall { after: 1, ms: None }))
}

#[tokio::test]
async fn an_address_that_nobody_registered_is_never_called() {
    let mut world = World::with(stalls()).await;
    world.config.ai.providers[0].idle_ms = 60_000;
    world.config.cluster_token = Some("a secret of the cluster".into());
    let node = world.worker();
    world.ask("r", RunKind::Chat, "q").await;
    world
        .gateway
        .until("r", 1, |events| !text(&parse(events)).is_empty())
        .await;
    let foreign = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = foreign.local_addr().unwrap().to_string();
    let watcher = Watcher {
        node: address.clone(),
        ..world.watcher("foreign", 0, 1)
    };
    world.attach("r", watcher).await;
    // As older gateways named it: field 1, an address.
    let field = |number: u8, text: &str| {
        let mut field = vec![number << 3 | 2, u8::try_from(text.len()).unwrap()];
        field.extend_from_slice(text.as_bytes());
        field
    };
    let old = [field(1, &address), field(2, "old")].concat();
    let length = u8::try_from(old.len()).unwrap();
    let request = [field(1, "r"), vec![2 << 3 | 2, length], old].concat();
    assert_eq!(RunRequest::decode(&request[..]).unwrap().run_id, "r");
    let subject = Subject::RunAttach("r".into());
    world
        .deps
        .bus
        .publish(&subject, request.into())
        .await
        .unwrap();
    let called = tokio::time::timeout(Duration::from_secs(1), foreign.accept()).await;
    assert!(called.is_err(), "the token was shown to a stranger");
    // Registered, it is.
    let store = &world.deps.store;
    store
        .announce_gateway("late", &address, 60_000)
        .await
        .unwrap();
    let watcher = Watcher {
        node: "late".into(),
        ..world.watcher("late", 0, 1)
    };
    world.attach("r", watcher).await;
    let called = tokio::time::timeout(Duration::from_secs(10), foreign.accept()).await;
    assert!(called.is_ok());
    node.drained().await;
}

#[tokio::test]
async fn who_has_left_is_sent_nothing_more() {
    let reply = Reply::text(&"word ".repeat(100)).paced(5, 20.0);
    let world = World::with(Script::always(reply)).await;
    let node = world.worker();
    world.ask("r", RunKind::Chat, "q").await;
    world.gateway.until("r", 1, |events| events.len() > 2).await;
    let gone = Watcher {
        gone: true,
        ..world.watcher("r", 0, 1)
    };
    world.attach("r", gone).await;
    world.attach("r", world.watcher("other", 0, 1)).await;
    let before = world
        .gateway
        .until("other", 1, |events| events.len() > 2)
        .await;
    let sent = world.gateway.events("r", 1).len();
    world
        .gateway
        .until("other", 1, |events| events.len() > before.len() + 10)
        .await;
    assert_eq!(world.gateway.events("r", 1).len(), sent);
    node.drained().await;
}

#[tokio::test]
async fn a_place_that_never_was_is_reset_to_one_that_is() {
    let mut world = World::with(stalls()).await;
    world.config.ai.providers[0].idle_ms = 60_000;
    let node = world.worker();
    world.ask("r", RunKind::Chat, "q").await;
    world
        .gateway
        .until("r", 1, |events| !text(&parse(events)).is_empty())
        .await;
    let id = |generation, position| EventId {
        generation,
        position,
    };
    // run is 1, "灵犀一点" ends at 13.
    let nowhere = [
        (id(1, 3), 1),
        (id(1, 999), 13),
        (id(9, 5), 4),
        (id(9, u32::MAX), 13),
    ];
    for (n, (after, place)) in nowhere.into_iter().enumerate() {
        let name = format!("f{n}");
        world
            .attach("r", world.watcher(&name, after.to_i64(), 1))
            .await;
        let events = world
            .gateway
            .until(&name, 1, |events| !events.is_empty())
            .await;
        let RunEvent::Reset { after, .. } = serde_json::from_slice(&events[0].json).unwrap() else {
            panic!("{events:?}")
        };
        assert_eq!(after, id(1, place).to_i64(), "{name}");
        assert_eq!(
            (events[0].after, events[0].event_id),
            (place, after),
            "{name}"
        );
    }
    node.drained().await;
}
