//! The assistant with an OpenAI-compatible provider: the strict simulator of the bench crate.

use lingxi_bench::simulator::{Fault, Reply, Script, Simulator};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Deployment, Events, Mode, SseEvent, User, text_of, until};

behaviours!(
    a_text_is_streamed,
    chunks_come_when_the_provider_sends_them,
    tools_are_called_and_their_results_come_back,
    several_tools_in_one_turn,
    errors_end_the_run_with_a_code,
    a_stream_cut_short_is_no_answer,
    leaving_is_not_stopping,
    everyone_attached_gets_everything,
);

async fn with(mode: Mode, script: Script) -> (Simulator, Deployment, User) {
    let simulator = Simulator::start(script).await.expect("a simulator");
    let lx = mode
        .with("LINGXI__AI__PROVIDERS__0__NAME", "simulator")
        .with("LINGXI__AI__PROVIDERS__0__BASE_URL", simulator.base_url())
        .with("LINGXI__AI__PROVIDERS__0__API_KEY", "a key")
        .with("LINGXI__AI__PROVIDERS__0__MODEL", "a model")
        .start()
        .await;
    let alice = lx.user("alice").await;
    (simulator, lx, alice)
}

async fn open(user: &User, path: &str, message: &str) -> Events {
    let body = json!({"message": message});
    Events::open(user.rest.request(Method::POST, path).json(&body)).await
}

async fn attach(user: &User, run: &str, after: u64) -> Events {
    let request = user
        .rest
        .request(Method::GET, &format!("ai/runs/{run}/events"));
    Events::open(request.header("last-event-id", after.to_string())).await
}

#[track_caller]
fn no_violations(simulator: &Simulator) {
    let violations = simulator.violations();
    assert!(violations.is_empty(), "{violations:?}");
}

fn results(events: &[SseEvent]) -> Vec<&Value> {
    let results = events.iter().filter(|event| event.kind() == "tool_result");
    results.map(|event| &event.data).collect()
}

async fn a_text_is_streamed(mode: Mode) {
    let said = "灵犀一点通。 Two lines,\nand an emoji 👋.";
    let script = Script::always(Reply::text(said).reasoning("let me see").usage(123, 45));
    let (simulator, _lx, alice) = with(mode, script).await;
    let events = open(&alice, "ai/chat", "What do you say?")
        .await
        .rest()
        .await;
    assert_eq!(text_of(&events), said);
    let thought: String = events
        .iter()
        .filter(|event| event.kind() == "reasoning")
        .map(|event| event.data["content"].as_str().expect("content"))
        .collect();
    assert_eq!(thought, "let me see");
    let done = &events.last().expect("done").data;
    assert_eq!(
        (&done["type"], &done["finish_reason"]),
        (&json!("done"), &json!("stop"))
    );
    assert_eq!(done["usage"]["prompt_tokens"], 123);
    assert_eq!(done["usage"]["completion_tokens"], 45);

    let requests = simulator.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].is_stream());
    assert_eq!(requests[0].model(), "a model");
    assert_eq!(requests[0].authorization, "Bearer a key");
    assert_eq!(requests[0].last_user(), "What do you say?");
    assert!(requests[0].tool_names().is_empty(), "a chat has no tools");
}

async fn chunks_come_when_the_provider_sends_them(mode: Mode) {
    // Ten pieces and then silence: what has come must be with the client, not in somebody's buffer.
    let silent = Reply::text(&"word ".repeat(20)).fault(Fault::Stall {
        after: 10,
        ms: None,
    });
    let (simulator, _lx, alice) = with(mode, Script::always(silent)).await;
    let mut events = open(&alice, "ai/chat", "go on").await;
    let mut text = String::new();
    while text.len() < 40 {
        let event = events.next().await.expect("more");
        text += &text_of(&[event]);
    }
    assert_eq!(text, "word ".repeat(8));
    assert_eq!(
        simulator.open_answers(),
        1,
        "the provider still has not finished"
    );
}

async fn tools_are_called_and_their_results_come_back(mode: Mode) {
    let script = Script::queue([Reply::call("create_group", json!({"name": "Rustaceans"}))
        .then(Reply::text("Your group is there."))]);
    let (simulator, _lx, alice) = with(mode, script).await;
    let events = open(&alice, "ai/agent", "a group, please")
        .await
        .rest()
        .await;
    let kinds: Vec<_> = events.iter().map(SseEvent::kind).collect();
    assert_eq!(
        kinds[..3],
        ["run", "tool_call", "tool_result"],
        "{events:?}"
    );
    assert_eq!(
        events.last().map(SseEvent::kind),
        Some("done"),
        "{events:?}"
    );
    assert_eq!(text_of(&events), "Your group is there.");
    assert_eq!(results(&events)[0]["success"], true);
    let mine = alice.get("group/mygroups").await.ok();
    assert_eq!(mine["groups"][0]["name"], "Rustaceans");

    no_violations(&simulator);
    let requests = simulator.requests();
    assert_eq!(requests.len(), 2, "one turn, its result, one answer");
    assert!(requests[0].tool_names().contains(&"create_group"));
    let told = requests[1].tool_results();
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains(&mine["groups"][0]["id"].to_string()),
        "the model hears the result: {told:?}"
    );
}

async fn several_tools_in_one_turn(mode: Mode) {
    let both = Reply::call("search_user", json!({"keyword": "bo"}))
        .and_call("create_group", json!({"name": "Pair"}))
        .and_call("no_such_tool", json!({}))
        .and_call("add_contact", json!({"wrong": "arguments"}))
        .then(Reply::call("add_contact", json!({"username": "bob"})).then(Reply::text("Done.")));
    let (simulator, lx, alice) = with(mode, Script::queue([both])).await;
    lx.user("bob").await;
    let events = open(&alice, "ai/agent", "do it all").await.rest().await;
    assert_eq!(text_of(&events), "Done.");
    let success: Vec<_> = results(&events)
        .iter()
        .map(|result| (result["name"].clone(), result["success"].clone()))
        .collect();
    let expected = [
        (json!("search_user"), json!(true)),
        (json!("create_group"), json!(true)),
        (json!("no_such_tool"), json!(false)),
        (json!("add_contact"), json!(false)),
        (json!("add_contact"), json!(true)),
    ];
    assert_eq!(success, expected, "{events:?}");
    no_violations(&simulator);
    let contacts = alice.get("contact/list").await.ok();
    assert_eq!(contacts["contacts"][0]["username"], "bob");
}

/// A run that fails: everything it sent, the last of it an `error` event with a stable code.
async fn fails(user: &User) -> Vec<SseEvent> {
    let events = open(user, "ai/chat", "hello").await.rest().await;
    let last = &events.last().expect("an event").data;
    assert_eq!(last["type"], "error", "{events:?}");
    let code = last["error"].as_str().expect("a code");
    assert!(
        !code.is_empty() && code.chars().all(|c| c == '_' || c.is_ascii_lowercase()),
        "{code}"
    );
    assert!(
        last["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{last}"
    );
    assert!(
        !last.to_string().contains("a key"),
        "a secret in an error: {last}"
    );
    events
}

async fn errors_end_the_run_with_a_code(mode: Mode) {
    for reply in [
        Reply::status(401),
        Reply::status(400),
        Reply::default().fault(Fault::ErrorInBand {
            after: 0,
            message: "overloaded".to_owned(),
        }),
    ] {
        let (_simulator, _lx, alice) = with(mode, Script::always(reply)).await;
        let events = fails(&alice).await;
        // What failed stays failed for who asks again.
        let run = events[0].data["run_id"]
            .as_str()
            .expect("a run_id")
            .to_owned();
        let again = attach(&alice, &run, events[0].id).await.rest().await;
        assert_eq!(again.last(), events.last());
        alice.get("user/me").await.ok();
    }
}

async fn a_stream_cut_short_is_no_answer(mode: Mode) {
    let cut = Reply::text("The answer is forty-two.").fault(Fault::Truncate { after: 3 });
    let (_simulator, _lx, alice) = with(mode, Script::always(cut)).await;
    let events = fails(&alice).await;
    assert!(
        events.iter().all(|event| event.kind() != "done"),
        "{events:?}"
    );
}

async fn leaving_is_not_stopping(mode: Mode) {
    let said = "one two three four five six seven eight nine ten";
    let script = Script::always(Reply::text(said).paced(4, 20.0));
    let (simulator, _lx, alice) = with(mode, script).await;
    let mut events = open(&alice, "ai/chat", "count").await;
    let mut seen = Vec::new();
    while text_of(&seen).is_empty() {
        seen.push(events.next().await.expect("more"));
    }
    drop(events);
    let run = seen[0].data["run_id"]
        .as_str()
        .expect("a run_id")
        .to_owned();
    let last = seen.last().expect("an event").id;
    seen.extend(attach(&alice, &run, last).await.rest().await);
    assert_eq!(text_of(&seen), said);
    assert_eq!(seen.last().map(SseEvent::kind), Some("done"));
    assert!(seen.windows(2).all(|two| two[0].id < two[1].id), "{seen:?}");
    assert_eq!(simulator.requests().len(), 1);
    until("the provider has finished", async || {
        simulator.open_answers() == 0
    })
    .await;
    assert_eq!(simulator.abandoned_answers(), 0);
}

async fn everyone_attached_gets_everything(mode: Mode) {
    let said = "one two three four five six seven eight nine ten";
    let script = Script::always(Reply::text(said).paced(4, 20.0));
    let (_simulator, _lx, alice) = with(mode, script).await;
    let mut first = open(&alice, "ai/chat", "count").await;
    let run = first.next().await.expect("the run");
    let id = run.data["run_id"].as_str().expect("a run_id").to_owned();
    let (second, third) = (
        attach(&alice, &id, run.id).await,
        attach(&alice, &id, run.id).await,
    );
    let (first, second, third) = tokio::join!(first.rest(), second.rest(), third.rest());
    for events in [&first, &second, &third] {
        assert_eq!(text_of(events), said);
        assert_eq!(events.last(), first.last());
    }
}
