use lingxi_bench::simulator::Script;
use lingxi_domain::run::RunKind;
use lingxi_store::Claim;

use super::*;
use crate::ledger::Portion;
use crate::tests::world::World;

async fn held(world: &World) -> Ledger {
    world.ask("r", RunKind::Agent, "q").await;
    let store = world.deps.store.clone();
    let Claim::Mine(claimed) = store.claim_run("r", "w").await.unwrap() else {
        panic!("not free")
    };
    Ledger::resume(store, &claimed)
}

fn heard(log: &RunLog) -> Vec<RunEvent> {
    match log.read(1) {
        Portion::Events(events) => events.into_iter().map(|e| e.event).collect(),
        _ => vec![],
    }
}

fn outcome() -> ToolOutcome {
    ToolOutcome {
        result: "done".into(),
        success: true,
    }
}

#[tokio::test]
async fn nobody_hears_of_what_could_not_be_committed() {
    let world = World::with(Script::default()).await;
    let mut ledger = held(&world).await;
    let log = ledger.log();
    ledger.say(Live::Text("text".into())).unwrap();
    world
        .deps
        .store
        .release_run("r", 1, lingxi_store::Released::Failed)
        .await
        .unwrap();
    let refused = ledger.outcome("t", "c", &outcome()).await;
    assert!(matches!(refused, Err(Error::Fenced)), "{refused:?}");
    let closing = Closing::Answered {
        text: "text".into(),
        finish_reason: "stop".into(),
    };
    let refused = ledger.close(closing, Usage::default()).await;
    assert!(matches!(refused, Err(Error::Fenced)), "{refused:?}");
    let text = RunEvent::Chunk {
        content: "text".into(),
    };
    assert_eq!(heard(&log), [text], "text alone is heard at once");
}

#[tokio::test]
async fn what_was_heard_is_what_is_read_back() {
    let world = World::with(Script::default()).await;
    let mut ledger = held(&world).await;
    let log = ledger.log();
    ledger.say(Live::Text("let me see".into())).unwrap();
    let turn = ModelTurn::default();
    assert_eq!(ledger.turn(&turn, Usage::default()).await.unwrap(), 1);
    let call = Live::ToolCall {
        name: "t".into(),
        args: "{}".into(),
    };
    ledger.say(call).unwrap();
    ledger.outcome("t", "c", &outcome()).await.unwrap().unwrap();
    ledger.say(Live::Text("half".into())).unwrap();
    let closing = Closing::Failed {
        code: lingxi_domain::ErrorCode::Timeout,
        message: "late".into(),
    };
    let state = ledger.close(closing, Usage::default()).await.unwrap();
    assert_eq!(state, RunState::Failed);
    let committed = world.replay("r").await;
    assert_eq!(committed[1..], heard(&log));
    let run = world.finished("r").await;
    assert_eq!(run.answer.as_deref(), Some("half"), "of the last turn");
}
