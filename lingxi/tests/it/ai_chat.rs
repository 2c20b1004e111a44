//! Plain conversation with the assistant, answered by the built-in demo model.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Events, Mode, SseEvent, User, text_of};

behaviours!(
    an_answer_is_streamed,
    the_demo_model_says_what_it_is,
    a_repeat_is_the_same_run,
    a_key_belongs_to_one_message,
    a_run_is_resumed_from_anywhere,
    a_run_belongs_to_its_asker,
    leaving_is_not_stopping,
    messages_that_are_none,
);

async fn ask(user: &User, body: Value) -> Events {
    Events::open(user.rest.request(Method::POST, "ai/chat").json(&body)).await
}

async fn resume(user: &User, run: &str, after: Option<u64>) -> Vec<SseEvent> {
    let request = user
        .rest
        .request(Method::GET, &format!("ai/runs/{run}/events"));
    let request = match after {
        Some(id) => request.header("last-event-id", id.to_string()),
        None => request,
    };
    Events::open(request).await.rest().await
}

fn run_of(events: &[SseEvent]) -> &str {
    assert_eq!(events[0].kind(), "run", "{events:?}");
    events[0].data["run_id"].as_str().expect("a run_id")
}

/// The kinds of events, runs of chunks counted once.
fn shape(events: &[SseEvent]) -> Vec<&str> {
    let mut kinds: Vec<_> = events.iter().map(SseEvent::kind).collect();
    kinds.dedup();
    kinds
}

async fn an_answer_is_streamed(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let events = ask(&alice, json!({"message": "hello, who are you?"}))
        .await
        .rest()
        .await;
    assert_eq!(shape(&events), ["run", "chunk", "done"], "{events:?}");
    assert!(!run_of(&events).is_empty());
    assert!(
        events.windows(2).all(|two| two[0].id < two[1].id),
        "ids grow: {events:?}"
    );
    // A chunk's id counts the bytes up to its end, any other event counts one.
    for two in events.windows(2) {
        let step = match two[1].kind() {
            "chunk" => two[1].data["content"].as_str().expect("content").len() as u64,
            _ => 1,
        };
        assert_eq!(two[1].id - two[0].id, step, "{two:?}");
    }
    let done = &events.last().expect("done").data;
    assert_eq!(done["content"], "");
    assert!(done["finish_reason"].is_string(), "{done}");
    assert!(done["usage"]["prompt_tokens"].is_u64(), "{done}");
    assert!(done["usage"]["completion_tokens"].is_u64(), "{done}");
}

async fn the_demo_model_says_what_it_is(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    for question in ["hello", "你好", "what is the capital of France?"] {
        let events = ask(&alice, json!({"message": question})).await.rest().await;
        let text = text_of(&events).to_lowercase();
        assert!(
            text.contains("demo") || text.contains("演示"),
            "it passes itself off as a language model: {text}"
        );
    }
}

async fn a_repeat_is_the_same_run(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let body = json!({"message": "hello", "idempotency_key": "key-1"});
    let first = ask(&alice, body.clone()).await.rest().await;
    let again = ask(&alice, body.clone()).await.rest().await;
    assert_eq!(run_of(&first), run_of(&again));
    assert_eq!(shape(&first), shape(&again));
    assert_eq!(text_of(&first), text_of(&again));
    assert_eq!(first.first(), again.first());
    assert_eq!(first.last(), again.last());
    // Two at once are one run too, and without a key or with another one's key it is a run of its own.
    let body = json!({"message": "hello", "idempotency_key": "key-2"});
    let (one, two) = tokio::join!(ask(&alice, body.clone()), ask(&alice, body.clone()));
    let (one, two) = tokio::join!(one.rest(), two.rest());
    assert_eq!(run_of(&one), run_of(&two));
    let others = ask(&bob, body).await.rest().await;
    assert_ne!(run_of(&one), run_of(&others), "keys belong to their user");
    let free = ask(&alice, json!({"message": "hello"})).await.rest().await;
    assert_ne!(run_of(&free), run_of(&first));
}

async fn a_key_belongs_to_one_message(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let body = json!({"message": "hello", "idempotency_key": "key"});
    ask(&alice, body).await.rest().await;
    let other = json!({"message": "something else", "idempotency_key": "key"});
    alice
        .post("ai/chat", other)
        .await
        .fails(409, "idempotency_conflict");
}

async fn a_run_is_resumed_from_anywhere(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let whole = ask(&alice, json!({"message": "hello"})).await.rest().await;
    let run = run_of(&whole).to_owned();
    let text = text_of(&whole);
    for cut in 0..whole.len() {
        let before = &whole[..cut];
        let after = cut.checked_sub(1).map(|last| whole[last].id);
        let rest = resume(&alice, &run, after).await;
        assert_eq!(text_of(before) + &text_of(&rest), text, "cut at {cut}");
        assert_eq!(rest.last(), whole.last(), "cut at {cut}");
        assert!(
            rest.iter().all(|event| Some(event.id) > after),
            "cut at {cut}: {rest:?}"
        );
        let runs = rest.iter().filter(|event| event.kind() == "run").count();
        assert_eq!(runs, usize::from(cut == 0), "cut at {cut}");
    }
    // The query says it too, for clients that cannot set a header.
    let middle = whole[whole.len() / 2].id;
    let path = format!("ai/runs/{run}/events?last_event_id={middle}");
    let rest = Events::open(alice.rest.request(Method::GET, &path))
        .await
        .rest()
        .await;
    assert_eq!(rest, resume(&alice, &run, Some(middle)).await);
    // Even after a restart.
    let mut lx = lx;
    lx.kill9().await;
    lx.restart().await;
    let rest = resume(&alice, &run, Some(middle)).await;
    assert_eq!(text_of(&rest), text_of(&whole[whole.len() / 2 + 1..]));
    assert_eq!(rest.last(), whole.last());
}

async fn a_run_belongs_to_its_asker(mode: Mode) {
    let lx = mode.start().await;
    let (alice, eve) = (lx.user("alice").await, lx.user("eve").await);
    let events = ask(&alice, json!({"message": "my secret"}))
        .await
        .rest()
        .await;
    let run = run_of(&events);
    let path = format!("ai/runs/{run}/events");
    eve.get(&path).await.fails(404, "run_not_found");
    lx.anonymous().get(&path).await.fails(401, "unauthorized");
    let nonsense = alice.get("ai/runs/nothing-like-a-run/events").await;
    assert!(
        nonsense.status == 404 || nonsense.status == 400,
        "{nonsense:?}"
    );
}

async fn leaving_is_not_stopping(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut events = ask(&alice, json!({"message": "hello"})).await;
    let first = events.next().await.expect("the run");
    let run = run_of(std::slice::from_ref(&first)).to_owned();
    drop(events);
    let rest = resume(&alice, &run, Some(first.id)).await;
    assert_eq!(shape(&rest), ["chunk", "done"], "{rest:?}");
}

async fn messages_that_are_none(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let anonymous = lx.anonymous();
    for path in ["ai/chat", "ai/agent"] {
        anonymous
            .post(path, json!({"message": "hello"}))
            .await
            .fails(401, "unauthorized");
        alice.post(path, json!({})).await.blames("message");
        alice
            .post(path, json!({"message": 5}))
            .await
            .blames("message");
        alice
            .post(path, json!({"message": ""}))
            .await
            .blames("message");
        let reply = alice
            .post(path, json!({"message": "x".repeat(17 * 1024)}))
            .await;
        assert!(reply.status == 413 || reply.status == 400, "{reply:?}");
        for key in ["", &"k".repeat(129)] {
            let body = json!({"message": "hello", "idempotency_key": key});
            alice.post(path, body).await.blames("idempotency_key");
        }
    }
}
