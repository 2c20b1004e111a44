//! Workers that die or stop in the middle, and subscribers that come and go.

use lingxi_bench::simulator::{Fault, Reply, Script};
use lingxi_domain::event_id::EventId;
use lingxi_domain::run::{RunEvent, RunKind, RunState};
use lingxi_store::{Claim, Effect, NewStep, StepKind};
use serde_json::json;

use super::gateway::{kinds, parse, text};
use super::world::World;
use crate::tools::{Context, Given, Toolbox};

/// Creates a group, then says something and stalls; asked again, it answers.
fn script() -> Script {
    let stalls = Reply::text("half an answer").fault(Fault::Stall { after: 2, ms: None });
    let create = Reply::call("create_group", json!({"name": "A"}))
        .then(stalls)
        .then(Reply::text("the whole answer").paced(2, 10.0));
    Script::queue([create])
}

#[tokio::test]
async fn a_run_goes_on_behind_its_last_step_when_its_worker_dies() {
    let mut world = World::with(script()).await;
    world.config.ai.providers[0].idle_ms = 60_000;
    let first = world.worker();
    world.ask("r", RunKind::Agent, "create").await;
    let seen = world
        .gateway
        .until("r", 1, |events| text(&parse(events)) == "half an ")
        .await;
    first.kill().await;
    let second = world.worker();
    // The subscriber asks for the rest from where it stands.
    let after = seen.last().unwrap().event_id;
    world.attach("r", world.watcher("r", after, 2)).await;
    let rest = world
        .gateway
        .until("r", 2, |events| events.last().is_some_and(|e| e.last))
        .await;
    let RunEvent::Reset { after: kept, .. } = serde_json::from_slice(&rest[0].json).unwrap() else {
        panic!("{rest:?}")
    };
    let result = seen
        .iter()
        .find(|e| e.json.windows(11).any(|w| w == b"tool_result"))
        .unwrap();
    assert_eq!(kept, result.event_id, "the last committed event");
    let events = parse(&rest);
    assert_eq!(kinds(&events), ["reset", "chunk", "done"], "{events:?}");
    assert_eq!(text(&events), "the whole answer");
    assert!(
        rest.iter()
            .all(|e| EventId::from_i64(e.event_id).unwrap().generation == 2 && e.attempt == 2),
        "{rest:?}"
    );
    assert_eq!(world.groups().await.len(), 1, "the effect is not repeated");
    assert_eq!(world.simulator.violations(), []);
    let run = world.finished("r").await;
    assert_eq!(
        (run.state, run.attempt, run.failures),
        (RunState::Done, 2, 1)
    );
    let replayed = world.replay("r").await;
    assert_eq!(
        kinds(&replayed),
        ["run", "tool_call", "tool_result", "chunk", "done"]
    );
    assert_eq!(text(&replayed), "the whole answer");
    second.drained().await;
}

#[tokio::test]
async fn an_effect_that_was_committed_without_its_step_is_not_done_again() {
    let mut world = World::with(Script::default()).await;
    world.config.ai.providers.clear();
    world.config.ai.detect_ollama = false;
    world
        .ask("r", RunKind::Agent, "create a group called X")
        .await;
    // A worker that commits the model's turn and the tool's effect, and dies before it commits the tool's step.
    let store = &world.deps.store;
    assert!(matches!(
        store.claim_run("r", "dead").await.unwrap(),
        Claim::Mine(_)
    ));
    let args = r#"{"name":"X"}"#;
    let call = json!({"id": "demo_1", "name": "create_group", "args": args});
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 1});
    let body = json!({"turn": {"text": "", "tool_calls": [call]}, "usage": usage}).to_string();
    let turn = NewStep {
        step: 1,
        kind: StepKind::Model,
        generation: 1,
        position: 1,
        body: &body,
        events: &[],
    };
    store.commit_step("r", 1, &turn).await.unwrap();
    let effect = Effect {
        run_id: "r".into(),
        step: 1,
        ordinal: 0,
        attempt: 1,
    };
    let actor = lingxi_im::Actor::new(world.alice, "alice").for_effect(effect);
    let tools = Toolbox::new();
    let context = Context {
        im: &world.deps.im,
        asker: &actor,
        deadline: tokio::time::Instant::now() + std::time::Duration::from_secs(60),
    };
    let Given::Outcome(done) = tools.call("create_group", args, &context).await else {
        panic!("not done")
    };
    store
        .release_run("r", 1, lingxi_store::Released::Failed)
        .await
        .unwrap();

    let node = world.worker();
    let run = world.finished("r").await;
    assert_eq!((run.state, run.attempt), (RunState::Done, 2));
    assert_eq!(world.groups().await.len(), 1, "the group is made once");
    let told = RunEvent::ToolResult {
        name: "create_group".into(),
        result: done.result,
        success: true,
    };
    let replayed = world.replay("r").await;
    assert!(
        replayed.contains(&told),
        "the outcome is that of the first time: {replayed:?}"
    );
    let late = tools.call("create_group", args, &context).await;
    assert_eq!(
        late,
        Given::Lost,
        "the first worker may do nothing any more"
    );
    node.drained().await;
}

#[tokio::test]
async fn a_worker_that_stops_gives_its_runs_back_at_once() {
    let mut world = World::with(script()).await;
    world.config.ai.providers[0].idle_ms = 60_000;
    let first = world.worker();
    world.ask("r", RunKind::Agent, "create").await;
    world
        .gateway
        .until("r", 1, |events| text(&parse(events)) == "half an ")
        .await;
    let second = world.worker();
    first.drained().await;
    let seen = world.gateway.events("r", 1);
    assert!(
        seen.last().unwrap().detached,
        "subscribers are told: {seen:?}"
    );
    let run = world.finished("r").await;
    assert_eq!(
        (run.state, run.attempt, run.failures),
        (RunState::Done, 2, 0)
    );
    assert_eq!(run.answer.as_deref(), Some("the whole answer"));
    assert_eq!(world.groups().await.len(), 1);
    second.drained().await;
}

#[tokio::test]
async fn subscribers_come_at_any_time_and_from_any_place() {
    let reply = Reply::text("a long answer that takes its time to be written").paced(2, 20.0);
    let world = World::with(Script::queue([reply])).await;
    let node = world.worker();
    world.ask("r", RunKind::Chat, "q").await;
    let some = world.gateway.until("r", 1, |events| events.len() > 4).await;
    for (n, event) in some.iter().enumerate() {
        world
            .attach("r", world.watcher(&format!("f{n}"), event.event_id, 1))
            .await;
    }
    // The same subscriber again: its newest request counts.
    world
        .attach("r", world.watcher("f0", some[0].event_id, 2))
        .await;
    let whole = text(&world.gateway.whole("r").await);
    assert_eq!(whole, "a long answer that takes its time to be written");
    for (n, event) in some.iter().enumerate().skip(1) {
        let seen = text(&parse(&some[..=n]));
        let rest = world.gateway.whole(&format!("f{n}")).await;
        assert_eq!(seen + &text(&rest), whole, "from {event:?}");
    }
    let again = world
        .gateway
        .until("f0", 2, |events| events.last().is_some_and(|e| e.last))
        .await;
    assert_eq!(text(&parse(&again)), whole);
    assert!(
        world.gateway.events("f0", 1).iter().all(|e| !e.last),
        "the first request's pump has ended"
    );
    node.drained().await;
}

#[tokio::test]
async fn a_queue_that_lost_a_job_is_made_up_for() {
    let world = World::with(Script::always(Reply::text("late but there"))).await;
    // The row is committed, the job is not there any more.
    world.ask("r", RunKind::Chat, "q").await;
    world
        .deps
        .bus
        .dequeue(&lingxi_bus::Lane::ALL)
        .await
        .unwrap()
        .done();
    let node = world.worker();
    assert_eq!(
        world.finished("r").await.answer.as_deref(),
        Some("late but there")
    );
    node.drained().await;
}
