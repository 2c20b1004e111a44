//! How often somebody may do something.

use std::net::IpAddr;
use std::time::Duration;

use lingxi_domain::ErrorCode;

use super::{World, refused};
use crate::{Error, Im, Payer, Rates, Spending};

fn network(text: &str) -> Payer {
    Payer::Network(text.parse().unwrap())
}

async fn limited() -> World {
    World::with(|config| {
        config.rate_limits = true;
        config.rates = Rates {
            messages_per_second: 1,
            message_burst: 6,
            logins_per_minute: 2,
            ..Rates::default()
        };
    })
    .await
}

/// Another process of the same cluster.
fn another_node(w: &World) -> Im {
    let config = w.im.inner.config.clone();
    Im::new(crate::Deps {
        store: w.store.clone(),
        bus: w.bus.clone(),
        cache: w.cache.clone(),
        files: w.im.inner.blobs.clone(),
        config,
    })
}

#[tokio::test]
async fn a_user_has_one_bucket_on_all_nodes() {
    let w = limited().await;
    let (here, there) = (w.im.clone(), another_node(&w));
    let spend = async |im: &Im, user, cost| {
        let limits = im.limits();
        limits
            .spend(Payer::User(user), Spending::Message, cost)
            .await
    };
    spend(&here, 1, 4).await.unwrap();
    assert_eq!(there.limits().slice(1, Spending::Message, 1).await, 1);
    let short = spend(&there, 1, 3).await.unwrap_err();
    assert_eq!(short.code(), ErrorCode::RateLimited);
    let wait = short.retry_after().unwrap();
    assert!(
        wait >= Duration::from_secs(1) && wait <= Duration::from_secs(2),
        "{wait:?}"
    );
    assert!(short.message().contains(&format!("{} s", wait.as_secs())));
    spend(&here, 1, 1).await.unwrap();
    spend(&here, 2, 6).await.unwrap();
    here.limits()
        .spend(Payer::User(1), Spending::Request, 1)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_costs_more_than_a_burst_costs_a_burst() {
    let w = limited().await;
    let spend = async |cost| {
        let limits = w.im.limits();
        limits.spend(Payer::User(1), Spending::Message, cost).await
    };
    spend(5000).await.unwrap();
    refused(spend(5000).await, ErrorCode::RateLimited);
    let wait = spend(u32::MAX).await.unwrap_err().retry_after().unwrap();
    assert!(wait <= Duration::from_secs(6), "{wait:?}");
}

#[tokio::test]
async fn addresses_of_one_customer_count_together() {
    let w = limited().await;
    let login = async |text: &str| {
        let limits = w.im.limits();
        limits.spend(network(text), Spending::Login, 1).await
    };
    login("2001:db8::1").await.unwrap();
    login("2001:db8::ffff:1:2:3").await.unwrap();
    refused(login("2001:db8::2").await, ErrorCode::RateLimited);
    login("2001:db8:0:1::1").await.unwrap();
    login("203.0.113.7").await.unwrap();
    login("::ffff:203.0.113.7").await.unwrap();
    refused(login("203.0.113.7").await, ErrorCode::RateLimited);
    login("203.0.113.8").await.unwrap();
    // Accounts go the same way.
    let address: Option<IpAddr> = Some("2001:db8::9".parse().unwrap());
    let error =
        w.im.accounts()
            .login("nobody", "wrong horse", address)
            .await;
    assert!(error.unwrap_err().retry_after().is_some());
}

#[tokio::test]
async fn without_limits_everything_is_granted() {
    let w = World::new().await;
    for _ in 0..100 {
        w.im.limits()
            .spend(Payer::User(1), Spending::Run, 1000)
            .await
            .unwrap();
    }
    assert_eq!(w.im.limits().slice(1, Spending::Message, 7).await, 7);
    assert_eq!(Error::from(ErrorCode::NotFound).retry_after(), None);
}
