//! What was read is said once a connection, and not for every message.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::chat::session::receipts::Receipts;

fn said(frames: &[Value]) -> Vec<(&str, u64)> {
    let of = |frame: &'_ Value| frame["seq"].as_u64().unwrap();
    let key = frames.iter().map(|f| f["conversation"].as_str().unwrap());
    key.zip(frames.iter().map(of)).collect()
}

#[test]
fn the_last_one_says_it_all() {
    let now = Instant::now();
    let later = now + Duration::from_secs(1);
    let mut receipts = Receipts::default();
    assert_eq!(receipts.due(), None);
    for seq in [1, 2, 3, 2] {
        receipts.read("d:1:2", seq, now);
    }
    assert!(receipts.take(now).is_empty());
    assert_eq!(said(&receipts.take(later)), [("d:1:2", 3)]);
    receipts.read("d:1:2", 3, later);
    assert_eq!((receipts.due(), receipts.take(later).len()), (None, 0));
    // A gateway that was killed has lost it.
    assert!(!receipts.all_kept());
    receipts.connected(later);
    assert_eq!(said(&receipts.rest()), [("d:1:2", 3)]);
    receipts.kept("d:1:2", 2);
    assert!(!receipts.all_kept());
    receipts.kept("d:1:2", 3);
    assert!(receipts.all_kept());
    receipts.connected(later);
    assert_eq!((receipts.due(), receipts.rest().len()), (None, 0));
}

#[test]
fn who_leaves_gathers_no_more() {
    let now = Instant::now();
    let mut receipts = Receipts::default();
    receipts.hurry(now);
    assert_eq!(receipts.due(), None);
    receipts.read("d:1:2", 1, now);
    receipts.hurry(now);
    assert_eq!(said(&receipts.take(now)), [("d:1:2", 1)]);
}

#[test]
fn many_are_said_little_by_little() {
    let now = Instant::now();
    let mut receipts = Receipts::default();
    for group in 0..4 {
        receipts.read(&format!("g:{group}"), 1, now);
    }
    let first = receipts.due().unwrap();
    assert_eq!(receipts.take(first).len(), 3);
    let next = receipts.due().unwrap();
    assert!(next > first);
    assert_eq!(said(&receipts.take(next)), [("g:3", 1)]);
    assert_eq!(receipts.due(), None);
}
