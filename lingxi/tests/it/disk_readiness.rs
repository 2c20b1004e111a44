//! A disk that is full, read-only or failing for a while: the process says that it is not ready, refuses what it cannot do,
//! goes on reading, loses nothing, and is well again by itself when the cause has gone.
//!
//! One process on SQLite: in a cluster the disk is the database server's.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Deployment, DiskFault, Mode, User, until};

/// From the fault to `not_ready`, and from its end to `ready`.
const TOLD: Duration = Duration::from_secs(5);
const HEALED: Duration = Duration::from_secs(10);

async fn ready(lx: &Deployment) -> bool {
    let answer = lx.http.get(lx.internal_url(0, "/readyz")).send().await;
    answer.expect("an answer of /readyz").status() == 200
}

/// A message of 16 KB that may be refused or not be answered; answers whether it was acknowledged as stored.
async fn say(from: &User, msg_id: &str) -> bool {
    let body = format!("{msg_id} {}", "x".repeat(16_000));
    let mut ws = match tokio::time::timeout(Duration::from_secs(3), from.connect()).await {
        Ok(ws) => ws,
        Err(_) => return false,
    };
    ws.say("bob", msg_id, &body).await;
    let acked = tokio::time::timeout(Duration::from_secs(3), ws.ack(msg_id)).await;
    acked.is_ok_and(|ack| ack["status"] == "stored" || ack["status"] == "delivered")
}

/// Breaks the disk and mends it, several times.
async fn breaks_and_heals(lx: &Deployment, break_it: impl Fn(), mend: impl Fn()) {
    let (alice, _bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut stored = Vec::new();
    let keep = |stored: &mut Vec<String>, msg_id: String, acked: bool| {
        if acked {
            stored.push(msg_id);
        }
        acked
    };
    assert!(keep(
        &mut stored,
        "first".into(),
        say(&alice, "first").await
    ));
    for round in 0..2 {
        break_it();
        let broken = Instant::now();
        until("it says that it is not ready", async || {
            // A write that finds no room any more, should there be some left in what the disk has given out before.
            let body = json!({"name": "g", "announcement": "x".repeat(400)});
            let made = alice.post("group/create", body).await;
            assert!([200, 503].contains(&made.status), "{made:?}");
            !ready(lx).await
        })
        .await;
        assert!(broken.elapsed() < TOLD, "{:?}", broken.elapsed());
        let made = alice.post("group/create", json!({"name": "g"})).await;
        assert_eq!(made.status, 503, "{made:?}");
        assert_eq!(made.body["error"], "unavailable");
        // What is there can be read.
        alice.get("message/conversations").await.ok();
        assert_eq!(alice.get("user/me").await.ok()["username"], "alice");

        mend();
        let mended = Instant::now();
        until("it is ready again", async || ready(lx).await).await;
        alice.create_group("after").await;
        assert!(mended.elapsed() < HEALED, "{:?}", mended.elapsed());
        let after = format!("after-{round}");
        until("messages are stored again", async || {
            let acked = say(&alice, &after).await;
            keep(&mut stored, after.clone(), acked)
        })
        .await;
        assert!(mended.elapsed() < HEALED, "{:?}", mended.elapsed());
    }
    let history = alice.history("username=bob&limit=200").await;
    for msg_id in &stored {
        let times = history.iter().filter(|m| m["msg_id"] == **msg_id).count();
        assert_eq!(times, 1, "{msg_id}");
    }
    let errors = lx.log(0);
    let errors = errors.lines().filter(|l| l.contains("ERROR")).count();
    assert!(errors < 60, "{errors} lines of ERROR");
}

#[tokio::test]
async fn a_full_disk_is_told_and_passes() {
    let lx = Mode::Embedded.options().small_disk(16).start().await;
    let disk = lx.disk.as_ref().expect("a small disk");
    breaks_and_heals(&lx, || disk.fill(), || disk.free()).await;
}

/// Every write fails like this for a while.
async fn fails_with(fault: DiskFault) {
    let lx = Mode::Embedded.options().failing_disk().start().await;
    let disk = lx.failing_disk();
    breaks_and_heals(&lx, || disk.strike(fault), || disk.mend()).await;
}

#[tokio::test]
async fn a_disk_with_errors_is_told_and_passes() {
    fails_with(DiskFault::Errors).await;
}

#[tokio::test]
async fn a_disk_that_became_read_only_is_told_and_passes() {
    fails_with(DiskFault::ReadOnly).await;
}

#[tokio::test]
async fn a_quota_that_is_used_up_is_told_and_passes() {
    fails_with(DiskFault::Quota).await;
}
