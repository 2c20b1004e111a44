//! The disk that messages are stored on is full: senders are told, nothing that was acknowledged is lost, and what was
//! refused is not stored behind their backs.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Deployment, Mode, User, Ws};

/// Much more than what the files of an empty database have to spare.
const LARGE: usize = 16_000;

/// The room of the disk, in megabytes: an empty database and some large messages.
const ROOM: u64 = 32;

fn large(msg_id: &str) -> String {
    format!("{msg_id} {}", "x".repeat(LARGE))
}

async fn send(a: &mut Ws, msg_id: &str) -> Value {
    a.say("bob", msg_id, &large(msg_id)).await;
    a.ack(msg_id).await
}

/// Sends until one is refused; the `msg_id`s of those that were stored are put into `stored`.
async fn until_refused(a: &mut Ws, prefix: &str, stored: &mut BTreeSet<String>) -> String {
    for n in 0..2_000 {
        let msg_id = format!("{prefix}{n}");
        let ack = send(a, &msg_id).await;
        if ack["status"] == "failed" {
            assert_eq!(ack["reason"], "unavailable", "{ack}");
            return msg_id;
        }
        stored.insert(msg_id);
    }
    panic!("the disk does not get full");
}

/// Repeats a message that was refused, as clients do, until it is stored; answers how long that took.
async fn until_stored(a: &mut Ws, msg_id: &str) -> Duration {
    let start = Instant::now();
    while send(a, msg_id).await["status"] == "failed" {
        assert!(start.elapsed() < Duration::from_secs(10), "not within 10 s");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    start.elapsed()
}

/// The `msg_id`s of everything in the conversation.
async fn said(user: &User, with: &str) -> Vec<String> {
    let log = user.log(&format!("username={with}")).await;
    let msg_id = |entry: &Value| entry["msg_id"].as_str().map(str::to_owned);
    log.iter().filter_map(msg_id).collect()
}

async fn check(lx: &mut Deployment, (alice, bob): (&User, &User), stored: &BTreeSet<String>) {
    for user in [alice, bob] {
        let with = if user.name == "bob" { "alice" } else { "bob" };
        let found = said(user, with).await;
        assert_eq!(found.len(), stored.len(), "each once: {found:?}");
        assert_eq!(&found.into_iter().collect::<BTreeSet<_>>(), stored);
    }
    let log = lx.log(0);
    assert!(log.lines().count() < 200, "logged for ever:\n{log}");
}

/// In one process: a MariaDB whose own disk is full ends itself, and is its supervisor's to start again.
#[tokio::test]
async fn a_full_disk_is_told_and_passes() {
    let mut lx = Mode::Embedded.options().small_disk(ROOM).start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    let mut stored = BTreeSet::new();
    for n in 0..3 {
        let msg_id = format!("before{n}");
        assert_ne!(send(&mut a, &msg_id).await["status"], "failed");
        stored.insert(msg_id);
    }
    for round in ["one", "two"] {
        lx.disk.as_ref().expect("a small disk").fill();
        let first = until_refused(&mut a, round, &mut stored).await;
        // What is said from then on is answered soon, and all of it the same.
        let start = Instant::now();
        for n in 0..3 {
            let ack = send(&mut a, &format!("{round}-never{n}")).await;
            assert_eq!(ack["reason"], "unavailable", "{ack}");
        }
        let told = start.elapsed();
        assert!(told < Duration::from_secs(9), "{told:?}");
        lx.disk.as_ref().expect("a small disk").free();
        let back = until_stored(&mut a, &first).await;
        println!("refused for {told:.1?}, back {back:.1?} after there was room");
        stored.insert(first);
    }
    check(&mut lx, (&alice, &bob), &stored).await;
    // What was refused is not found by a successor either.
    lx.kill9().await;
    lx.restart().await;
    let mut a = alice.connect().await;
    assert_ne!(send(&mut a, "after").await["status"], "failed");
    stored.insert("after".to_owned());
    check(&mut lx, (&alice, &bob), &stored).await;
}
