//! Guessing passwords, and who feels it.

use std::net::IpAddr;

use lingxi_cache::local::LocalCache;
use lingxi_domain::ErrorCode;

use super::{World, refused};
use crate::{Deps, Im, Rates};

const WRONG: &str = "wrong horse";
const RIGHT: &str = "correct horse";

fn at(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// Anybody may try as often as they like, as far as their address is concerned.
async fn world() -> World {
    let w = World::with(|config| {
        config.rate_limits = true;
        config.rates = Rates {
            logins_per_minute: 100_000,
            ..Rates::default()
        };
    })
    .await;
    w.user("alice").await;
    w
}

async fn login(im: &Im, name: &str, password: &str, from: &str) -> Result<(), ErrorCode> {
    let login = im.accounts().login(name, password, at(from)).await;
    login.map(drop).map_err(|error| {
        let limited = error.code() == ErrorCode::RateLimited;
        assert_eq!(error.retry_after().is_some(), limited, "{error}");
        error.code()
    })
}

#[tokio::test]
async fn guesses_count_before_they_are_judged() {
    let w = world().await;
    for name in ["alice", "nobody"] {
        let guesses = (0..60).map(|_| login(&w.im, name, WRONG, "192.0.2.1"));
        let answers = futures_util::future::join_all(guesses).await;
        let count = |code| answers.iter().filter(|a| **a == Err(code)).count();
        let judged = count(ErrorCode::InvalidCredentials);
        assert_eq!((judged, count(ErrorCode::RateLimited)), (10, 50), "{name}");
    }
    let right = login(&w.im, "alice", RIGHT, "192.0.2.1").await;
    assert_eq!(right, Err(ErrorCode::RateLimited), "after ten wrong ones");
}

#[tokio::test]
async fn a_right_password_forgets_the_wrong_ones() {
    let w = world().await;
    for _ in 0..3 {
        for _ in 0..9 {
            let wrong = login(&w.im, "alice", WRONG, "192.0.2.1").await;
            assert_eq!(wrong, Err(ErrorCode::InvalidCredentials));
        }
        login(&w.im, "alice", RIGHT, "192.0.2.1").await.unwrap();
    }
}

#[tokio::test]
async fn what_is_tried_elsewhere_does_not_lock_out_a_known_network() {
    let w = world().await;
    let home = "2001:db8:1:1::7";
    login(&w.im, "alice", RIGHT, home).await.unwrap();
    // From one network: others are not touched at all.
    while login(&w.im, "alice", WRONG, "192.0.2.1").await != Err(ErrorCode::RateLimited) {}
    login(&w.im, "alice", RIGHT, "2001:db8:1:1::8")
        .await
        .unwrap();
    login(&w.im, "alice", RIGHT, "198.51.100.1").await.unwrap();
    // From very many: networks that are not known wait, the known ones do not, also after a restart.
    for network in 0..20 {
        let from = format!("203.0.113.{network}");
        while login(&w.im, "alice", WRONG, &from).await == Err(ErrorCode::InvalidCredentials) {}
    }
    let new = login(&w.im, "alice", RIGHT, "198.51.100.99").await;
    assert_eq!(new, Err(ErrorCode::RateLimited), "slowed");
    for known in [home, "198.51.100.1"] {
        login(&w.im, "alice", RIGHT, known).await.unwrap();
    }
    let restarted = Im::new(Deps {
        store: w.store.clone(),
        bus: w.bus.clone(),
        cache: LocalCache::shared(),
        files: crate::Blobs::none(),
        config: w.im.inner.config.clone(),
    });
    for network in 0..20 {
        let from = format!("203.0.113.{network}");
        while login(&restarted, "alice", WRONG, &from).await == Err(ErrorCode::InvalidCredentials) {
        }
    }
    login(&restarted, "alice", RIGHT, home).await.unwrap();
    // A known network is no way to guess without end.
    let guesses = (0..30).map(|_| login(&restarted, "alice", WRONG, home));
    let answers = futures_util::future::join_all(guesses).await;
    let judged = answers
        .iter()
        .filter(|a| **a == Err(ErrorCode::InvalidCredentials));
    assert_eq!(judged.count(), 10);
}

#[tokio::test]
async fn the_network_of_the_registration_is_known() {
    let w = world().await;
    let new = crate::Registration {
        username: "bob".into(),
        password: RIGHT.into(),
        nickname: None,
    };
    let accounts = w.im.accounts();
    accounts.register(&new, at("198.51.100.1")).await.unwrap();
    for network in 0..12 {
        let from = format!("203.0.113.{network}");
        while login(&w.im, "bob", WRONG, &from).await == Err(ErrorCode::InvalidCredentials) {}
    }
    login(&w.im, "bob", RIGHT, "198.51.100.1").await.unwrap();
    let other = login(&w.im, "bob", RIGHT, "198.51.100.2").await;
    refused(other.map_err(crate::Error::from), ErrorCode::RateLimited);
}

#[tokio::test]
async fn sixteen_networks_are_known() {
    let w = world().await;
    let id = w.im.accounts().resolve("alice").await.unwrap().unwrap().0;
    for number in 0..20_i64 {
        let network = format!("n{number}");
        let times = (1_000_000 + number, 1_000_000);
        let remembered = w.store.remember_network(id, &network, times, 16);
        remembered.await.unwrap();
    }
    let known = async |network: &str| w.store.known_network(id, network).await.unwrap();
    assert_eq!(known("n19").await, Some(1_000_019));
    assert_eq!(known("n4").await, Some(1_000_004));
    assert_eq!(known("n3").await, None, "the sixteen seen last stay");
    let times = (2_000_000, 1_000_010);
    w.store
        .remember_network(id, "n19", times, 16)
        .await
        .unwrap();
    assert_eq!(known("n19").await, Some(2_000_000));
    assert_eq!(known("n9").await, None, "expired");
    assert_eq!(known("n10").await, Some(1_000_010));
}

/// More logins at once from one network than may wait for a hash: theirs are turned away, and somebody else's is not.
#[tokio::test]
async fn a_storm_from_one_network_takes_no_place_of_others() {
    let w = world().await;
    let storm = (0..200).map(|n| {
        let im = w.im.clone();
        async move { login(&im, &format!("nobody{n}"), WRONG, "192.0.2.1").await }
    });
    let storm = futures_util::future::join_all(storm);
    let elsewhere = async {
        // Behind all of the storm.
        tokio::task::yield_now().await;
        login(&w.im, "alice", RIGHT, "198.51.100.7").await
    };
    let (storm, elsewhere) = tokio::join!(storm, elsewhere);
    assert_eq!(elsewhere, Ok(()));
    let judged = storm
        .iter()
        .filter(|a| **a == Err(ErrorCode::InvalidCredentials));
    let turned_away = storm.iter().filter(|a| **a == Err(ErrorCode::RateLimited));
    assert!(judged.count() >= 32, "as many as may wait");
    assert!(turned_away.count() > 0, "one network fills the queue");
}
