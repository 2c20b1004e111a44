//! The chat log when the server, the stream or a consumer goes away.

use std::time::{Duration, Instant};

use lingxi_bus::nats::{NatsBus, Options};
use lingxi_bus::{Error, LogEntry, SharedBus, conformance};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::server::{Server, lost};

const LONG: Duration = Duration::from_secs(20);

async fn next(entries: &mut mpsc::Receiver<LogEntry>) -> (u64, String) {
    let entry = timeout(LONG, entries.recv())
        .await
        .expect("an entry")
        .unwrap();
    (
        entry.position,
        String::from_utf8(entry.payload.to_vec()).unwrap(),
    )
}

/// Appends as soon as that is possible again.
async fn append_at_last(bus: &SharedBus, text: &str) -> u64 {
    let deadline = Instant::now() + LONG;
    loop {
        match bus.append(5, text.to_owned().into()).await {
            Ok(position) => return position,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_goes_on_after_restarts_without_gaps_or_repeats() {
    let mut server = Server::start();
    let bus = server.bus().await;
    let (out, mut entries) = mpsc::channel(1);
    let _reader = bus.read_log(5, 0, 0, out).await.unwrap();
    let mut expected = Vec::new();
    for round in 0..3 {
        let mut losses = bus.losses();
        losses.mark_unchanged();
        // More than is read ahead, so the restart is in the middle of it.
        for n in 0..600 {
            let text = format!("{round}-{n}");
            expected.push((append_at_last(&bus, &text).await, text));
        }
        server.process().kill9().await;
        server.start_again();
        lost(&mut losses).await;
        let text = format!("after {round}");
        expected.push((append_at_last(&bus, &text).await, text));
        for one in expected.drain(..) {
            assert_eq!(next(&mut entries).await, one);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_goes_on_when_its_consumer_is_deleted() {
    let server = Server::start();
    let bus = server.bus().await;
    let client = server.client().await;
    let (out, mut entries) = mpsc::channel(1);
    let _reader = bus.read_log(5, 0, 0, out).await.unwrap();
    for round in 0..3 {
        let mut expected = Vec::new();
        for n in 0..300 {
            let text = format!("{round}-{n}");
            expected.push((append_at_last(&bus, &text).await, text));
            if n == 150 {
                let names = client
                    .request("$JS.API.CONSUMER.NAMES.CHAT", "".into())
                    .await
                    .unwrap();
                let names: serde_json::Value = serde_json::from_slice(&names.payload).unwrap();
                let names = names["consumers"].as_array().unwrap().clone();
                for name in names {
                    let call = format!("$JS.API.CONSUMER.DELETE.CHAT.{}", name.as_str().unwrap());
                    client.request(call, "".into()).await.unwrap();
                }
            }
        }
        for one in expected {
            assert_eq!(next(&mut entries).await, one);
        }
    }
    assert_eq!(*bus.losses().borrow(), 0, "none of that was a loss");
}

/// What a worker does when losses rise: look which log it is, read anew.
async fn read_anew(bus: &SharedBus, out: mpsc::Sender<LogEntry>) -> lingxi_bus::Subscription {
    let deadline = Instant::now() + LONG;
    loop {
        match bus.read_log(5, 0, 2, out.clone()).await {
            Ok(reader) => return reader,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_emptied_is_another_one() {
    for restart in [true, false] {
        let mut server = Server::start();
        let bus = server.bus().await;
        let (out, mut entries) = mpsc::channel(1000);
        let _reader = bus.read_log(5, 0, 1, out.clone()).await.unwrap();
        for n in 0..10 {
            let position = append_at_last(&bus, &n.to_string()).await;
            assert_eq!(next(&mut entries).await, (position, n.to_string()));
        }
        let before = bus.log_info().await.unwrap();
        let mut losses = bus.losses();
        if restart {
            server.process().kill9().await;
            server.start_again_empty();
        } else {
            // The connection stays.
            let client = server.client().await;
            client
                .request("$JS.API.STREAM.DELETE.CHAT", "".into())
                .await
                .unwrap();
        }
        lost(&mut losses).await;
        let after = bus.log_info().await.unwrap();
        assert_ne!(after.created, before.created);
        assert_eq!(after.last, 0);
        // Its positions come once more, beyond those of the first log: the first reader has no business there.
        let mut expected = Vec::new();
        for n in 0..20 {
            let text = format!("anew {n}");
            expected.push((append_at_last(&bus, &text).await, text));
        }
        let _again = read_anew(&bus, out).await;
        for one in expected {
            let entry = timeout(LONG, entries.recv()).await.unwrap().unwrap();
            assert_eq!(entry.reader, 2, "restarted: {restart}");
            let text = String::from_utf8(entry.payload.to_vec()).unwrap();
            assert_eq!((entry.position, text), one);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_made_anew_by_another_is_noticed() {
    let server = Server::start();
    let bus = server.bus().await;
    let (out, mut entries) = mpsc::channel(1000);
    let _reader = bus.read_log(5, 0, 1, out).await.unwrap();
    let mut losses = bus.losses();
    let client = server.client().await;
    let config = client
        .request("$JS.API.STREAM.INFO.CHAT", "".into())
        .await
        .unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config.payload).unwrap();
    client
        .request("$JS.API.STREAM.DELETE.CHAT", "".into())
        .await
        .unwrap();
    let made = client
        .request(
            "$JS.API.STREAM.CREATE.CHAT",
            config["config"].to_string().into(),
        )
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&made.payload).contains("error"));
    bus.append(5, "new".into()).await.unwrap();
    lost(&mut losses).await;
    assert!(
        entries.try_recv().is_err(),
        "the reader of the former log is not given the new one's entries"
    );
}

#[tokio::test]
async fn a_full_log_refuses_until_it_is_purged() {
    let options = Options {
        max_log_messages: 10,
        ..conformance::nats::fresh_options()
    };
    let bus = NatsBus::connect(options.clone()).await.unwrap();
    let mut last = 0;
    for n in 0..10 {
        last = bus.append(1, n.to_string().into()).await.unwrap();
    }
    assert_eq!(bus.append(1, "more".into()).await, Err(Error::Full));
    bus.purge_log(1, last - 1).await.unwrap();
    bus.append(1, "more".into()).await.unwrap();
    assert!(matches!(
        bus.append(64, "x".into()).await,
        Err(Error::Unavailable(_))
    ));
    conformance::nats::remove(&options).await;
}
