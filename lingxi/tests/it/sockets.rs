//! Several sockets of one user: what they may do together.

use std::time::Instant;

use crate::harness::{Deployment, Link, Mode, User, Ws};

behaviours!(
    ten_sockets_share_one_bucket,
    a_new_socket_brings_no_new_burst,
    the_seventeenth_socket_closes_the_first,
);

const POLICY: &str = "LINGXI__SESSIONS__POLICY";

async fn limited(mode: Mode) -> (Deployment, User) {
    let lx = mode.with("LINGXI__RATE_LIMITS", "on");
    let lx = lx.with(POLICY, "multi").start().await;
    let alice = lx.user("alice").await;
    lx.user("bob").await;
    (lx, alice)
}

/// The user's socket at a gateway.
async fn socket(lx: &Deployment, gateway: usize, user: &User) -> Ws {
    Ws::open(&Link::new(&lx.base_url(gateway), &user.token)).await
}

/// Sends so many messages; returns how many were stored.
async fn flood(ws: &mut Ws, prefix: &str, count: usize) -> usize {
    for number in 0..count {
        ws.say("bob", &format!("{prefix}{number}"), "spam").await;
    }
    let mut stored = 0;
    for number in 0..count {
        let ack = ws.ack(&format!("{prefix}{number}")).await;
        if ack["status"] == "failed" {
            assert_eq!(ack["reason"], "rate_limited", "{ack}");
        } else {
            stored += 1;
        }
    }
    stored
}

/// What 20 a second and a burst of 60 let through since `start`.
fn most(start: Instant) -> usize {
    61 + usize::try_from(start.elapsed().as_millis() / 50).expect("a short time")
}

async fn ten_sockets_share_one_bucket(mode: Mode) {
    let (lx, alice) = limited(mode).await;
    let start = Instant::now();
    let mut sockets = Vec::new();
    for number in 0..10 {
        sockets.push(socket(&lx, number, &alice).await);
    }
    let floods = sockets
        .iter_mut()
        .enumerate()
        .map(|(number, ws)| async move { flood(ws, &format!("{number}-"), 60).await });
    let stored: usize = futures_util::future::join_all(floods).await.iter().sum();
    println!("{stored} of 600 stored in {:?}", start.elapsed());
    assert!((30..=most(start)).contains(&stored), "{stored} of 600");
    assert_eq!(alice.log("username=bob").await.len(), stored);
}

async fn a_new_socket_brings_no_new_burst(mode: Mode) {
    let (lx, alice) = limited(mode).await;
    let start = Instant::now();
    let mut stored = 0;
    for number in 0..8 {
        let mut ws = socket(&lx, number, &alice).await;
        stored += flood(&mut ws, &format!("{number}-"), 60).await;
        ws.close().await;
    }
    println!("{stored} of 480 stored in {:?}", start.elapsed());
    assert!((30..=most(start)).contains(&stored), "{stored} of 480");
}

async fn the_seventeenth_socket_closes_the_first(mode: Mode) {
    let lx = mode.with(POLICY, "multi").start().await;
    let alice = lx.user("alice").await;
    let mut sockets = Vec::new();
    for number in 0..16 {
        let mut ws = socket(&lx, number, &alice).await;
        ws.alive().await;
        sockets.push(ws);
    }
    for ws in &mut sockets {
        ws.alive().await;
    }
    for number in 0..3 {
        let mut newer = socket(&lx, number, &alice).await;
        let mut oldest = sockets.remove(0);
        oldest.event("kicked").await;
        assert_eq!(oldest.closed().await.code, Some(4002));
        newer.alive().await;
        sockets.push(newer);
    }
    for ws in &mut sockets {
        ws.alive().await;
        assert!(ws.drain().iter().all(|frame| frame["event"] != "kicked"));
    }
}
