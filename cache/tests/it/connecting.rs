//! What is said when Redis cannot be used, and by whom that is survived.

use lingxi_cache::redis::{Guarded, Options, RedisCache};
use lingxi_cache::{Cache, Error};
use lingxi_testing::until;

use crate::fake;
use crate::server::Server;

fn options(url: &str) -> Options {
    Options::parse(url, "lingxi").unwrap()
}

/// The error of both ways to connect, which must be the same.
async fn refusal(url: &str) -> Error {
    let error = RedisCache::connect(options(url)).await.err().unwrap();
    let guarded = Guarded::connect(options(url)).await.err();
    assert_eq!(Some(&error), guarded.as_ref(), "{url}");
    let line = error.to_string();
    assert!(!line.contains('\n') && !line.contains("secret"), "{line}");
    error
}

#[tokio::test]
async fn a_refused_login_says_so() {
    let server = Server::start(&["--requirepass", "secret"]);
    let at = format!("127.0.0.1:{}", server.port());
    for url in [
        format!("redis://{at}"),
        format!("redis://:secret2@{at}"),
        format!("redis://nobody:secret@{at}"),
    ] {
        let error = refusal(&url).await;
        assert!(
            matches!(&error, Error::Refused(line) if line.contains("check user and password")),
            "{error:?}"
        );
    }
    RedisCache::connect(options(&format!("redis://:secret@{at}")))
        .await
        .unwrap();

    // A password that nobody asks for does no harm.
    let open = Server::start(&[]);
    let url = format!("redis://:secret@127.0.0.1:{}", open.port());
    RedisCache::connect(options(&url)).await.unwrap();
}

#[tokio::test]
async fn a_user_that_may_do_too_little_is_told_what_is_needed() {
    let server = Server::start_with_file(
        "user other on >secret ~other:* +@all\nuser reader on >secret ~* +@read +@scripting +time +info +ping\n\
         user fit on >secret ~lingxi:* +@all -@dangerous +info\n",
        &[],
    );
    for user in ["other", "reader"] {
        let error = refusal(&format!(
            "redis://{user}:secret@127.0.0.1:{}",
            server.port()
        ))
        .await;
        assert!(
            matches!(&error, Error::Refused(line) if line.contains("grant it ~lingxi:*")),
            "{error:?}"
        );
    }
    let fit = format!("redis://fit:secret@127.0.0.1:{}", server.port());
    let cache = RedisCache::connect(options(&fit)).await.unwrap();
    lingxi_cache::conformance::run(std::sync::Arc::new(cache)).await;
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let error = refusal(&fake::redis("6.2.14").await).await;
    assert!(
        matches!(&error, Error::TooOld(line) if line.contains("6.2.14") && line.contains("7.0")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_of_another_kind_is_named() {
    let server = Server::start(&[]);
    let error = refusal(&format!("redis-cluster://127.0.0.1:{}", server.port())).await;
    assert!(
        matches!(&error, Error::Misconfigured(line) if line.contains("redis://")),
        "{error:?}"
    );
    let error = refusal(&format!("{}/99", server.url())).await;
    assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
}

#[tokio::test]
async fn an_unreachable_server_is_picked_up_when_it_comes() {
    let mut server = Server::start(&[]);
    server.process().kill9().await;
    let error = RedisCache::connect(options(&server.url()))
        .await
        .err()
        .unwrap();
    let line = error.to_string();
    assert!(
        matches!(error, Error::Unavailable(_))
            && line.contains("Connection refused")
            && line.contains(&server.port().to_string()),
        "{line}"
    );
    let cache = Guarded::connect(options(&server.url())).await.unwrap();
    let degraded = cache.status().unwrap_err();
    assert!(
        degraded.starts_with("degraded: ") && degraded.contains("unreachable"),
        "{degraded}"
    );
    assert_eq!(
        cache
            .count("c", std::time::Duration::from_secs(60))
            .await
            .unwrap(),
        1
    );
    server.restart();
    until("Redis is in use", async || cache.status().is_ok()).await;
}
