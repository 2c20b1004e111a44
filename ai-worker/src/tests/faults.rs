//! What providers do wrong, and what the asker is told.

use lingxi_bench::simulator::{Fault, Reply, Script};
use lingxi_domain::run::{RunEvent, RunKind, RunState};

use super::gateway::{kinds, text};
use super::world::World;

/// The events of a chat run that the model answers with `reply`, and its row.
async fn events_of(reply: Reply) -> (Vec<RunEvent>, lingxi_store::Run) {
    let world = World::with(Script::queue([reply])).await;
    let node = world.worker();
    world.ask("r", RunKind::Chat, "question").await;
    let events = world.gateway.whole("r").await;
    let run = world.finished("r").await;
    let replayed = world.replay("r").await;
    assert_eq!(
        (text(&replayed), replayed.last()),
        (text(&events), events.last()),
        "a replay says the same"
    );
    assert_eq!(world.simulator.requests().len(), 1, "no retries underneath");
    node.drained().await;
    (events, run)
}

fn error_of(events: &[RunEvent]) -> &str {
    match events.last() {
        Some(RunEvent::Error { error, message }) if !message.is_empty() => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_http_error_is_a_provider_error() {
    for reply in [Reply::status(500), Reply::status(401), Reply::too_many(3)] {
        let (events, run) = events_of(reply).await;
        assert_eq!(kinds(&events), ["run", "error"]);
        assert_eq!(error_of(&events), "provider_error");
        assert_eq!(run.state, RunState::Failed);
        assert_eq!(run.error.unwrap().0.as_str(), "provider_error");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_keeps_what_was_said() {
    let faults = [
        Fault::Truncate { after: 2 },
        Fault::ErrorInBand {
            after: 2,
            message: "overloaded".into(),
        },
        Fault::Reset { after: 2 },
    ];
    for fault in faults {
        let (events, run) =
            events_of(Reply::text("one two three four five").fault(fault.clone())).await;
        assert_eq!(error_of(&events), "provider_error", "{fault:?}");
        assert_eq!(text(&events), "one two ", "{fault:?}");
        assert_eq!(run.answer.as_deref(), Some("one two "), "{fault:?}");
    }
}

#[tokio::test]
async fn silence_is_a_timeout_wherever_it_falls() {
    let faults = [
        Fault::StallBeforeHeaders { ms: None },
        Fault::Stall { after: 0, ms: None },
        Fault::Stall { after: 2, ms: None },
    ];
    for fault in faults {
        let (events, run) = events_of(Reply::text("one two three").fault(fault.clone())).await;
        assert_eq!(error_of(&events), "timeout", "{fault:?}");
        assert_eq!(run.state, RunState::Failed, "{fault:?}");
    }
}

#[tokio::test]
async fn garbage_between_events_is_passed_over() {
    let (events, run) =
        events_of(Reply::text("one two three").fault(Fault::Garbage { after: 1 })).await;
    assert_eq!(text(&events), "one two three");
    assert_eq!(run.state, RunState::Done);
}

#[tokio::test]
async fn the_deadline_ends_a_run_and_its_request() {
    let mut world = World::with(Script::queue(
        [Reply::text("slow and steady").paced(2, 2.0)],
    ))
    .await;
    world.config.ai.providers[0].total_ms = 60_000;
    let node = world.worker();
    world.ask_within("r", RunKind::Chat, "q", 1_200).await;
    let events = world.gateway.whole("r").await;
    assert_eq!(error_of(&events), "timeout");
    assert!(!text(&events).is_empty(), "{events:?}");
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while world.simulator.open_answers() > 0 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the provider still writes"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    world.ask_within("late", RunKind::Chat, "q", -1).await;
    assert_eq!(kinds(&world.gateway.whole("late").await), ["run", "error"]);
    node.drained().await;
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_a_provider_error() {
    let mut world = World::with(Script::default()).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    world.config.ai.providers[0].base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let node = world.worker();
    world.ask("r", RunKind::Chat, "q").await;
    assert_eq!(error_of(&world.gateway.whole("r").await), "provider_error");
    node.drained().await;
}
