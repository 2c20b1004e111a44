//! How much of the assistant one user may have, and what a stranger feels of one who wants more.

use lingxi_bench::simulator::{Fault, Reply, Rule, Script, Simulator};
use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;

use crate::harness::{Deployment, Events, Mode, User, text_of};

behaviours!(
    three_answers_at_once_and_not_one_more,
    ten_questions_a_minute,
    eight_streams_at_once,
);

async fn limited(mode: Mode, script: Script) -> (Simulator, Deployment, User) {
    let simulator = Simulator::start(script).await.expect("a simulator");
    let lx = mode
        .with("LINGXI__RATE_LIMITS", "on")
        .with("LINGXI__AI__PROVIDERS__0__NAME", "simulator")
        .with("LINGXI__AI__PROVIDERS__0__BASE_URL", simulator.base_url())
        .with("LINGXI__AI__PROVIDERS__0__MODEL", "a model")
        .start()
        .await;
    let alice = lx.user("alice").await;
    (simulator, lx, alice)
}

async fn ask(user: &User, message: &str) -> reqwest::Response {
    let body = json!({"message": message});
    let request = user.rest.request(Method::POST, "ai/chat").json(&body);
    request.send().await.expect("an answer")
}

/// Refused for a while, and told for how long.
async fn is_refused(answer: reqwest::Response) {
    assert_eq!(answer.status(), 429);
    let after = answer.headers().get("retry-after").cloned();
    let after = after.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    assert!(after.is_some_and(|seconds| seconds > 0), "{after:?}");
    let body: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(body["error"], "rate_limited", "{body}");
}

async fn three_answers_at_once_and_not_one_more(mode: Mode) {
    let silent = Reply::text("word word word").fault(Fault::Stall { after: 1, ms: None });
    let script = Script::always(Reply::text("here you are")).rule(Rule::new("greedy", silent));
    let (_simulator, lx, alice) = limited(mode, script).await;
    let bob = lx.user("bob").await;
    let asked = (0..8).map(|_| ask(&alice, "greedy"));
    let (mut open, mut refused) = (Vec::new(), Vec::new());
    for answer in futures_util::future::join_all(asked).await {
        match answer.status().as_u16() {
            200 => open.push(answer),
            _ => refused.push(answer),
        }
    }
    assert_eq!((open.len(), refused.len()), (3, 5));
    for answer in refused {
        is_refused(answer).await;
    }
    // A stranger feels nothing of it.
    let begun = Instant::now();
    let body = json!({"message": "hello"});
    let request = bob.rest.request(Method::POST, "ai/chat").json(&body);
    let events = Events::open(request).await.rest().await;
    assert_eq!(text_of(&events), "here you are");
    println!("a stranger's whole answer: {:?}", begun.elapsed());
}

async fn ten_questions_a_minute(mode: Mode) {
    let (_simulator, _lx, alice) = limited(mode, Script::always(Reply::text("yes"))).await;
    let mut answered = 0;
    for _ in 0..12 {
        let answer = ask(&alice, "quick").await;
        if answer.status() == 200 {
            answered += 1;
            answer.text().await.expect("the whole answer");
        } else {
            is_refused(answer).await;
        }
    }
    assert!((10..12).contains(&answered), "{answered} were answered");
}

async fn eight_streams_at_once(mode: Mode) {
    let silent = Reply::text("word word word").fault(Fault::Stall { after: 1, ms: None });
    let (_simulator, _lx, alice) = limited(mode, Script::always(silent)).await;
    let body = json!({"message": "hello"});
    let request = alice.rest.request(Method::POST, "ai/chat").json(&body);
    let mut first = Events::open(request).await;
    let run = first.next().await.expect("the run").data["run_id"].clone();
    let path = format!("ai/runs/{}/events", run.as_str().expect("a run_id"));
    let mut open = vec![first];
    while open.len() < 8 {
        open.push(Events::open(alice.rest.request(Method::GET, &path)).await);
    }
    let ninth = alice.rest.request(Method::GET, &path).send().await;
    is_refused(ninth.expect("an answer")).await;
    // One that leaves makes room.
    open.pop();
    crate::harness::until("there is room again", async || {
        let answer = alice.rest.request(Method::GET, &path).send().await;
        answer.expect("an answer").status() == 200
    })
    .await;
}
