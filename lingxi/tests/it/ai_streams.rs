//! Streams of answers: none ends without its end, none goes on when it must not, none is asked for in vain.

use std::time::Duration;

use lingxi_bench::simulator::{Fault, Reply, Script, Simulator};
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::harness::{Deployment, Events, Mode, User, text_of};

behaviours!(
    an_answer_faster_than_http_has_its_end,
    an_id_that_was_never_given_out,
    a_token_that_works_no_longer_ends_its_streams,
);

async fn with(mode: Mode, script: Script) -> (Simulator, Deployment, User) {
    let simulator = Simulator::start(script).await.expect("a simulator");
    let lx = mode
        .with("LINGXI__AI__PROVIDERS__0__NAME", "simulator")
        .with("LINGXI__AI__PROVIDERS__0__BASE_URL", simulator.base_url())
        .with("LINGXI__AI__PROVIDERS__0__MODEL", "a model")
        .start()
        .await;
    let alice = lx.user("alice").await;
    (simulator, lx, alice)
}

fn ask(user: &User) -> reqwest::RequestBuilder {
    let body = json!({"message": "hello"});
    user.rest.request(Method::POST, "ai/chat").json(&body)
}

fn attach(user: &User, run: &str, after: u64) -> reqwest::RequestBuilder {
    let path = format!("ai/runs/{run}/events");
    let request = user.rest.request(Method::GET, &path);
    request.header("last-event-id", after.to_string())
}

async fn an_answer_faster_than_http_has_its_end(mode: Mode) {
    let said = "all at once, 灵犀! ".repeat(8_000);
    let mut reply = Reply::text(&said);
    reply.piece = 7;
    let (_simulator, _lx, alice) = with(mode, Script::always(reply)).await;
    for round in 0..5 {
        let events = Events::open(ask(&alice)).await.rest().await;
        let last = events.last().map(|event| event.kind().to_owned());
        assert_eq!(last.as_deref(), Some("done"), "round {round}");
        assert!(
            text_of(&events) == said,
            "round {round}: the text is another"
        );
    }
}

async fn an_id_that_was_never_given_out(mode: Mode) {
    let script = Script::queue([
        Reply::text("灵犀一点通"),
        Reply::text("灵犀一点通").fault(Fault::Stall { after: 1, ms: None }),
    ]);
    let (_simulator, _lx, alice) = with(mode, script).await;
    let whole = Events::open(ask(&alice)).await.rest().await;
    let run = whole[0].data["run_id"]
        .as_str()
        .expect("a run_id")
        .to_owned();
    let first = whole[0].id;
    let end = whole.last().expect("an end").id;
    for never in [first + 1, end + 1, first + (7 << 32), first & 0xffff_ffff] {
        let path = format!("ai/runs/{run}/events?last_event_id={never}");
        alice.get(&path).await.blames("last_event_id");
        let answer = attach(&alice, &run, never).send().await;
        assert_eq!(answer.expect("an answer").status(), 400, "{never}");
    }
    // While it runs, what is beyond is known to its worker alone, which says where to go on.
    let mut live = Events::open(ask(&alice)).await;
    let first = live.next().await.expect("the run");
    let run = first.data["run_id"].as_str().expect("a run_id").to_owned();
    let chunk = live.next().await.expect("a chunk");
    for beyond in [chunk.id + 1_000, chunk.id - 1] {
        let mut events = Events::open(attach(&alice, &run, beyond)).await;
        let reset = events.next().await.expect("a reset");
        assert_eq!(reset.kind(), "reset", "{beyond}");
        let after = reset.data["after"].as_u64().expect("after");
        assert!(after <= chunk.id && after > first.id, "{reset:?}");
    }
    let never = attach(&alice, &run, first.id + (7 << 32)).send().await;
    assert_eq!(never.expect("an answer").status(), 400);
}

async fn a_token_that_works_no_longer_ends_its_streams(mode: Mode) {
    let slow = Reply::text(&"word ".repeat(400)).paced(5, 10.0);
    let (_simulator, _lx, alice) = with(mode, Script::always(slow)).await;
    let mut events = Events::open(ask(&alice)).await;
    let run = events.next().await.expect("the run");
    let id = run.data["run_id"].as_str().expect("a run_id").to_owned();
    let second = Events::open(attach(&alice, &id, run.id)).await;
    alice.post("user/logout", json!({})).await.ok();
    let out = Instant::now();
    let ended = async { tokio::join!(events.rest(), second.rest()) };
    let (one, two) = timeout(Duration::from_secs(10), ended)
        .await
        .expect("the streams go on");
    let took = out.elapsed();
    assert!(took < Duration::from_millis(1_500), "only after {took:?}");
    for events in [one, two] {
        assert!(events.iter().all(|event| event.kind() != "done"));
    }
}
