//! Runs that go as they should.

use lingxi_bench::simulator::{Fault, Reply, Rule, Script};
use lingxi_domain::run::{RunEvent, RunKind, RunState, Usage};
use serde_json::json;

use super::gateway::{kinds, text};
use super::world::World;

#[tokio::test]
async fn a_question_is_answered_and_streamed() {
    let reply = Reply::text("好的,我在这里。How are you?")
        .reasoning("let me think")
        .usage(11, 7);
    let world = World::with(Script::always(reply)).await;
    let node = world.worker();
    world.ask("r1", RunKind::Chat, "你好").await;
    let events = world.gateway.whole("r1").await;
    assert_eq!(
        kinds(&events),
        ["run", "reasoning", "chunk", "done"],
        "{events:?}"
    );
    assert_eq!(text(&events), "好的,我在这里。How are you?");
    let usage = Usage {
        prompt_tokens: 11,
        completion_tokens: 7,
    };
    let Some(RunEvent::Done {
        usage: told,
        finish_reason,
        ..
    }) = events.last()
    else {
        panic!("{events:?}")
    };
    assert_eq!((*told, finish_reason.as_str()), (usage, "stop"));
    let run = world.finished("r1").await;
    assert_eq!((run.state, run.usage), (RunState::Done, usage));
    assert_eq!(run.answer.as_deref(), Some("好的,我在这里。How are you?"));
    let request = &world.simulator.requests()[0];
    assert!(
        request.is_stream() && request.tool_names().is_empty(),
        "{request:?}"
    );
    assert_eq!(request.authorization, "Bearer secret");
    assert_eq!(request.last_user(), "你好");
    // Whoever comes later is told the same.
    let replayed = world.replay("r1").await;
    assert_eq!(
        (kinds(&replayed), text(&replayed)),
        (kinds(&events), text(&events))
    );
    assert_eq!(replayed.last(), events.last());
    node.drained().await;
}

#[tokio::test]
async fn tools_act_as_the_asker_and_their_results_go_back() {
    let create = Reply::call("create_group", json!({"name": "Go学习小组"}));
    let create = create.then(Reply::text("好的,我已经帮你创建了「Go学习小组」"));
    let world = World::with(Script::queue([create])).await;
    let node = world.worker();
    world.ask("r1", RunKind::Agent, "创建群").await;
    let events = world.gateway.whole("r1").await;
    assert_eq!(
        kinds(&events),
        ["run", "tool_call", "tool_result", "chunk", "done"],
        "{events:?}"
    );
    let groups = world.groups().await;
    assert_eq!((groups.len(), groups[0].owner.as_str()), (1, "alice"));
    let result = format!("群聊创建成功,ID={}", groups[0].id);
    let told = RunEvent::ToolResult {
        name: "create_group".into(),
        result: result.clone(),
        success: true,
    };
    assert!(events.contains(&told), "{events:?}");
    let requests = world.simulator.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].tool_names().len(), 10);
    let result_to_model = &requests[1].tool_results()[0];
    assert!(
        result_to_model.contains(&result) && result_to_model.contains("\"success\":true"),
        "{result_to_model}"
    );
    assert_eq!(world.simulator.violations(), []);
    node.drained().await;
}

#[tokio::test]
async fn calls_in_one_turn_are_done_in_order_and_failures_are_told() {
    let calls = Reply::call("create_group", json!({"name": "A"}))
        .and_call(
            "invite_member",
            json!({"group_id": "999", "username": "bob"}),
        )
        .and_call("no_such_tool", json!({}))
        .and_call("add_contact", json!({"username": "bob"}))
        .then(Reply::text("done"));
    let world = World::with(Script::queue([calls])).await;
    let node = world.worker();
    world.ask("r1", RunKind::Agent, "many").await;
    let events = world.gateway.whole("r1").await;
    let results: Vec<_> = events
        .iter()
        .filter_map(|e| match e {
            RunEvent::ToolResult { name, success, .. } => Some((name.as_str(), *success)),
            _ => None,
        })
        .collect();
    let wanted = [
        ("create_group", true),
        ("invite_member", false),
        ("no_such_tool", false),
        ("add_contact", true),
    ];
    assert_eq!(results, wanted);
    assert_eq!(kinds(&events).last().map(String::as_str), Some("done"));
    assert_eq!(world.simulator.violations(), []);
    node.drained().await;
}

#[tokio::test]
async fn broken_arguments_are_told_to_the_model_and_end_no_run() {
    let broken = Reply::call("create_group", json!({"name": "A"})).fault(Fault::BrokenArguments);
    let again = Reply::call("create_group", json!({"name": "B"})).then(Reply::text("B it is"));
    let world = World::with(Script::queue([broken.then(again)])).await;
    let node = world.worker();
    world.ask("r1", RunKind::Agent, "create").await;
    let events = world.gateway.whole("r1").await;
    assert_eq!(text(&events), "B it is");
    let failed = events.iter().any(|e| matches!(e, RunEvent::ToolResult { success: false, result, .. } if result.contains("JSON")));
    assert!(failed, "{events:?}");
    assert_eq!(world.groups().await.len(), 1);
    assert_eq!(world.simulator.violations(), []);
    node.drained().await;
}

#[tokio::test]
async fn a_model_that_only_calls_tools_is_asked_to_answer_in_the_end() {
    let call = || Reply::call("get_my_groups", json!({}));
    let mut world = World::with(Script::queue([call(), call(), Reply::text("enough")])).await;
    world.config.ai.max_steps = 3;
    let node = world.worker();
    world.ask("r1", RunKind::Agent, "loop").await;
    assert_eq!(text(&world.gateway.whole("r1").await), "enough");
    let offered: Vec<_> = world
        .simulator
        .requests()
        .iter()
        .map(|r| r.tool_names().len())
        .collect();
    assert_eq!(offered, [10, 10, 0]);
    node.drained().await;
}

#[tokio::test]
async fn many_runs_share_one_stream_and_stay_apart() {
    let world =
        World::with(Script::default().rule(Rule::new("", Reply::text("an answer of its own"))))
            .await;
    let node = world.worker();
    for n in 0..40 {
        world.ask(&format!("r{n}"), RunKind::Chat, "q").await;
    }
    for n in 0..40 {
        let events = world.gateway.whole(&format!("r{n}")).await;
        assert_eq!(
            events[0],
            RunEvent::Run {
                run_id: format!("r{n}")
            }
        );
        assert_eq!(text(&events), "an answer of its own");
    }
    node.drained().await;
}

#[tokio::test]
async fn the_demo_model_goes_the_whole_way() {
    let mut world = World::with(Script::default()).await;
    world.config.ai.providers.clear();
    world.config.ai.detect_ollama = false;
    let node = world.worker();
    world
        .ask("r1", RunKind::Agent, "创建一个叫X的群，邀请bob")
        .await;
    let events = world.gateway.whole("r1").await;
    let wanted = [
        "run",
        "tool_call",
        "tool_result",
        "tool_call",
        "tool_result",
        "chunk",
        "done",
    ];
    assert_eq!(kinds(&events), wanted, "{events:?}");
    assert!(text(&events).contains("演示模型"), "{events:?}");
    let groups = world.groups().await;
    assert_eq!((groups[0].name.as_str(), groups[0].member_count), ("X", 2));
    world.ask("r2", RunKind::Chat, "list my groups").await;
    assert_eq!(
        kinds(&world.gateway.whole("r2").await),
        ["run", "chunk", "done"]
    );
    node.drained().await;
}
