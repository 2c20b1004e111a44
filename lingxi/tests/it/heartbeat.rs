//! Silence: the server asks, and gives up on who does not answer.

use serde_json::json;

use crate::harness::{Mode, Ws};

behaviours!(
    silence_is_asked_about,
    who_never_answers_is_closed,
    any_frame_counts_as_life,
);

/// Short, so that the test is; the default is 54 s.
const INTERVAL: &str = "LINGXI__HEARTBEAT__INTERVAL_MS";

async fn silence_is_asked_about(mode: Mode) {
    let lx = mode.with(INTERVAL, 200).start().await;
    let mut ws = lx.user("alice").await.connect().await;
    for _ in 0..5 {
        let ping = ws.expect("a heartbeat", |frame| frame["type"] == 1).await;
        assert_eq!(ping["msg_id"], "ping");
        // The protocol Ping that comes with it was answered by the library, and that is enough.
        ws.pinged().await;
    }
    ws.alive().await;
}

async fn who_never_answers_is_closed(mode: Mode) {
    let lx = mode.with(INTERVAL, 200).start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut silent = Ws::open(&bob.link().without_pongs()).await;
    silent
        .expect("a heartbeat", |frame| frame["type"] == 1)
        .await;
    silent.closed().await;
    // To others he is away from now on.
    let mut a = alice.connect().await;
    a.say("bob", "m1", "hello?").await;
    assert_eq!(a.ack("m1").await["status"], "stored");
}

async fn any_frame_counts_as_life(mode: Mode) {
    let lx = mode.with(INTERVAL, 400).start().await;
    let alice = lx.user("alice").await;
    // No Pongs, but an answer to every heartbeat, as a simple front end does it.
    let mut ws = Ws::open(&alice.link().without_pongs()).await;
    for _ in 0..5 {
        ws.expect("a heartbeat", |frame| frame["type"] == 1).await;
        ws.send(json!({"type": 1, "msg_id": "pong"})).await;
        assert_eq!(ws.ack("pong").await["status"], "received");
    }
}
