//! What is said is sent in order, one at a time, until it has an ACK.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::chat::session::outbox::{Acked, Outbox};

fn outbox(ids: &[&str]) -> Outbox {
    let mut outbox = Outbox::default();
    for id in ids {
        outbox.push(json!({"type": 2, "msg_id": id, "to": "bob", "content": id}));
    }
    outbox
}

fn ack(id: &str, status: &str, reason: &str) -> Value {
    json!({"type": 3, "msg_id": id, "status": status, "reason": reason})
}

fn sent(outbox: &mut Outbox, now: Instant) -> Option<String> {
    let frame = outbox.next(now)?;
    Some(frame["msg_id"].as_str()?.to_owned())
}

#[test]
fn one_after_the_other_has_its_ack() {
    let now = Instant::now();
    let mut outbox = outbox(&["a", "b"]);
    assert_eq!(sent(&mut outbox, now).as_deref(), Some("a"));
    assert_eq!(sent(&mut outbox, now), None);
    assert_eq!(outbox.acked(&ack("b", "stored", ""), now), Acked::Unknown);
    assert_eq!(outbox.acked(&ack("a", "received", ""), now), Acked::Unknown);
    assert_eq!(outbox.acked(&ack("a", "stored", ""), now), Acked::Settled);
    assert_eq!(outbox.acked(&ack("a", "stored", ""), now), Acked::Unknown);
    assert_eq!(sent(&mut outbox, now).as_deref(), Some("b"));
    assert_eq!(
        outbox.acked(&ack("b", "failed", "blocked"), now),
        Acked::Settled
    );
    assert_eq!(outbox.due(now), None);
}

#[test]
fn what_was_on_its_way_goes_first_on_the_next_connection() {
    let now = Instant::now();
    let mut outbox = outbox(&["a", "b"]);
    sent(&mut outbox, now);
    outbox.lost();
    assert_eq!(outbox.due(now), Some(now));
    assert_eq!(sent(&mut outbox, now).as_deref(), Some("a"));
}

#[test]
fn silence_is_answered_by_the_same_message() {
    let now = Instant::now();
    let mut outbox = outbox(&["a"]);
    sent(&mut outbox, now);
    let due = outbox.due(now).unwrap();
    assert!(due > now + Duration::from_secs(5));
    assert_eq!(sent(&mut outbox, due).as_deref(), Some("a"));
}

#[test]
fn what_may_pass_is_tried_again_later_and_in_order() {
    let now = Instant::now();
    let mut outbox = outbox(&["a", "b"]);
    sent(&mut outbox, now);
    for _ in 0..30 {
        let refused = outbox.acked(&ack("a", "failed", "rate_limited"), now);
        assert_eq!(refused, Acked::Again);
        assert_eq!(sent(&mut outbox, now), None);
    }
    assert_eq!(
        outbox.acked(&ack("a", "failed", "unavailable"), now),
        Acked::Settled
    );
    // The next one is not blamed for it.
    assert_eq!(sent(&mut outbox, now).as_deref(), Some("b"));
    assert_eq!(
        outbox.acked(&ack("b", "failed", "rate_limited"), now),
        Acked::Again
    );
}
