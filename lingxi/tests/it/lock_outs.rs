//! Guessing passwords, and who feels it: told apart by the address that a load balancer states.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::harness::{Deployment, Mode, Reply, Rest};

behaviours!(
    guesses_count_before_they_are_judged,
    what_is_tried_elsewhere_locks_out_nobody_at_home,
);

const WRONG: &str = "wrong horse";
const RIGHT: &str = "correct horse";

async fn start(mode: Mode) -> Deployment {
    mode.with("LINGXI__RATE_LIMITS", "on")
        .with("LINGXI__RATE__LOGINS_PER_MINUTE", 100_000)
        .with("LINGXI__RATE__REGISTERS_PER_MINUTE", 100_000)
        .with("LINGXI__TRUSTED_PROXIES", "127.0.0.0/8")
        .with("LINGXI__BCRYPT_COST", 4)
        .start()
        .await
}

/// Both gateways of a cluster; the one of an embedded server twice.
fn doors(lx: &Deployment, mode: Mode) -> [Rest; 2] {
    let other = usize::from(mode == Mode::Cluster);
    [0, other].map(|gateway| Rest::new(lx.anonymous().http, lx.base_url(gateway)))
}

async fn post(rest: &Rest, path: &str, from: &str, (name, password): (&str, &str)) -> Reply {
    let request = rest
        .request(Method::POST, path)
        .header("X-Forwarded-For", from)
        .json(&json!({"username": name, "password": password}));
    rest.send(request).await
}

async fn login(rest: &Rest, from: &str, name: &str, password: &str) -> Reply {
    post(rest, "user/login", from, (name, password)).await
}

/// Wrong passwords until the name is locked there; returns how many were judged.
async fn lock(rest: &Rest, from: &str, name: &str) -> usize {
    let mut judged = 0;
    loop {
        let reply = login(rest, from, name, WRONG).await;
        if reply.status == 429 {
            reply.fails(429, "rate_limited");
            return judged;
        }
        reply.fails(401, "invalid_credentials");
        judged += 1;
        assert!(judged < 200, "nothing is ever locked");
    }
}

async fn guesses_count_before_they_are_judged(mode: Mode) {
    let lx = start(mode).await;
    let doors = doors(&lx, mode);
    post(&doors[0], "user/register", "198.51.100.7", ("bob", RIGHT))
        .await
        .ok();
    for (name, network) in [("bob", "192.0.2"), ("nobody", "192.0.3")] {
        // Sixty at once, from one network, wherever they arrive.
        let guesses = (0..60).map(|number| {
            let door = &doors[number % 2];
            let from = format!("{network}.1");
            async move { login(door, &from, name, WRONG).await }
        });
        let replies = join_all(guesses).await;
        let judged = replies.iter().filter(|reply| reply.status == 401).count();
        assert_eq!(judged, 10, "{name}: {replies:?}");
        for reply in replies.iter().filter(|reply| reply.status != 401) {
            reply.fails(429, "rate_limited");
        }
    }
    // One /64 is one network.
    let guesses = (0..60).map(|number| {
        let door = &doors[number % 2];
        let from = format!("2001:db8:0:1::{number:x}");
        async move { login(door, &from, "bob", WRONG).await.status }
    });
    let judged = join_all(guesses).await;
    assert_eq!(judged.iter().filter(|&&status| status == 401).count(), 10);
}

async fn what_is_tried_elsewhere_locks_out_nobody_at_home(mode: Mode) {
    let mut lx = start(mode).await;
    let at = doors(&lx, mode);
    let home = "2001:db8:5:5::1";
    post(&at[0], "user/register", "198.51.100.7", ("bob", RIGHT))
        .await
        .ok();
    login(&at[0], home, "bob", RIGHT).await.ok();
    assert_eq!(lock(&at[0], "192.0.2.1", "bob").await, 10);
    login(&at[1], "192.0.2.1", "bob", RIGHT)
        .await
        .fails(429, "rate_limited");
    login(&at[1], home, "bob", RIGHT).await.ok();
    login(&at[1], "198.51.100.8", "bob", RIGHT).await.ok();
    // From very many networks: those that are new to bob wait, also with the right password.
    for network in 2..16 {
        lock(&at[0], &format!("192.0.2.{network}"), "bob").await;
    }
    login(&at[0], "203.0.113.9", "bob", RIGHT)
        .await
        .fails(429, "rate_limited");
    for known in [home, "198.51.100.7", "198.51.100.8"] {
        login(&at[1], known, "bob", RIGHT).await.ok();
    }
    // A restart does not forget where bob is at home.
    lx.kill9().await;
    lx.restart().await;
    let at = doors(&lx, mode);
    for network in 2..16 {
        lock(&at[0], &format!("192.0.4.{network}"), "bob").await;
    }
    login(&at[0], home, "bob", RIGHT).await.ok();
}
