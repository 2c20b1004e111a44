//! The assistant does something: tools, run as the one who asked.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Events, Mode, SseEvent, User, text_of};

behaviours!(
    a_group_is_created_and_a_friend_invited,
    a_repeat_does_nothing_twice,
    a_tool_that_fails_says_so,
    chat_has_no_tools,
);

const ASKED: &str = "create a group called Rustaceans and invite bob";

async fn ask(user: &User, path: &str, body: Value) -> Vec<SseEvent> {
    let request = user.rest.request(Method::POST, path).json(&body);
    Events::open(request).await.rest().await
}

async fn groups(user: &User) -> Vec<Value> {
    let mine = user.get("group/mygroups").await.ok();
    mine["groups"].as_array().expect("groups").clone()
}

fn tools(events: &[SseEvent]) -> Vec<(&str, &str)> {
    let tools = events
        .iter()
        .filter(|event| event.kind().starts_with("tool_"));
    tools
        .map(|event| (event.kind(), event.data["name"].as_str().expect("a name")))
        .collect()
}

async fn a_group_is_created_and_a_friend_invited(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut b = bob.connect().await;
    let events = ask(&alice, "ai/agent", json!({"message": ASKED})).await;
    assert_eq!(events[0].kind(), "run");
    assert_eq!(
        tools(&events),
        [
            ("tool_call", "create_group"),
            ("tool_result", "create_group"),
            ("tool_call", "invite_member"),
            ("tool_result", "invite_member"),
        ],
        "{events:?}"
    );
    assert!(
        events.windows(2).all(|two| two[0].id < two[1].id),
        "ids grow: {events:?}"
    );
    for event in &events {
        match event.kind() {
            "tool_call" => {
                let args = event.data["args"].as_str().expect("args are text");
                serde_json::from_str::<Value>(args).expect("and JSON");
            }
            "tool_result" => {
                assert_eq!(event.data["success"], true, "{event:?}");
                assert!(event.data["result"].is_string(), "{event:?}");
            }
            _ => {}
        }
    }
    let call = events
        .iter()
        .find(|event| event.kind() == "tool_call")
        .expect("a call");
    let args: Value =
        serde_json::from_str(call.data["args"].as_str().expect("args")).expect("JSON");
    assert_eq!(args["name"], "Rustaceans");
    assert!(!text_of(&events).is_empty());
    let last_tool = events
        .iter()
        .rposition(|event| event.kind() == "tool_result")
        .expect("a result");
    assert!(
        events[last_tool..]
            .iter()
            .any(|event| event.kind() == "chunk"),
        "{events:?}"
    );
    assert_eq!(
        events.last().map(SseEvent::kind),
        Some("done"),
        "{events:?}"
    );

    let group = &groups(&alice).await[0];
    assert_eq!(
        (&group["name"], &group["role"]),
        (&json!("Rustaceans"), &json!("owner"))
    );
    let result = events
        .iter()
        .find(|event| event.kind() == "tool_result")
        .expect("a result");
    let said = result.data["result"].as_str().expect("text");
    assert!(
        said.contains(&group["id"].to_string()),
        "the id is in the result: {said}"
    );
    let event = b.event("group_invited").await;
    assert_eq!(
        (&event["target"], &event["from"]),
        (&json!("bob"), &json!("alice"))
    );
    assert_eq!(event["group_id"], group["id"]);
    assert_eq!(groups(&bob).await[0]["id"], group["id"]);
}

async fn a_repeat_does_nothing_twice(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let body = json!({"message": ASKED, "idempotency_key": "once"});
    let first = ask(&alice, "ai/agent", body.clone()).await;
    let again = ask(&alice, "ai/agent", body).await;
    assert_eq!(first[0], again[0], "the same run");
    assert_eq!(tools(&first), tools(&again));
    assert_eq!(text_of(&first), text_of(&again));
    assert_eq!(first.last(), again.last());
    assert_eq!(groups(&alice).await.len(), 1);
    assert_eq!(groups(&bob).await.len(), 1);
    let other = json!({"message": "create a group called Gophers", "idempotency_key": "once"});
    alice
        .post("ai/agent", other)
        .await
        .fails(409, "idempotency_conflict");
    assert_eq!(groups(&alice).await.len(), 1);
    // Resuming in the middle shows the rest, and does nothing either.
    let run = first[0].data["run_id"].as_str().expect("a run_id");
    let call = first
        .iter()
        .position(|event| event.kind() == "tool_call")
        .expect("a call");
    let request = alice
        .rest
        .request(Method::GET, &format!("ai/runs/{run}/events"));
    let request = request.header("last-event-id", first[call].id.to_string());
    let rest = Events::open(request).await.rest().await;
    assert_eq!(tools(&rest), tools(&first[call + 1..]));
    assert_eq!(text_of(&rest), text_of(&first[call + 1..]));
    assert_eq!(groups(&alice).await.len(), 1);
}

async fn a_tool_that_fails_says_so(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let body = json!({"message": "create a group called Lonely and invite nobody_there"});
    let events = ask(&alice, "ai/agent", body).await;
    let results: Vec<_> = events
        .iter()
        .filter(|event| event.kind() == "tool_result")
        .collect();
    let failed = results
        .iter()
        .find(|event| event.data["name"] == "invite_member")
        .expect("it tried");
    assert_eq!(failed.data["success"], false, "{failed:?}");
    assert_eq!(
        events.last().map(SseEvent::kind),
        Some("done"),
        "a tool's failure ends no run: {events:?}"
    );
    assert_eq!(groups(&alice).await.len(), 1);
}

async fn chat_has_no_tools(mode: Mode) {
    let lx = mode.start().await;
    let (alice, _bob) = (lx.user("alice").await, lx.user("bob").await);
    let events = ask(&alice, "ai/chat", json!({"message": ASKED})).await;
    assert!(tools(&events).is_empty(), "{events:?}");
    assert_eq!(events.last().map(SseEvent::kind), Some("done"));
    assert!(groups(&alice).await.is_empty());
}
