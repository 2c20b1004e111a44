//! Every cache keeps the promises of every cache.

use std::sync::Arc;

use fred::interfaces::{ClientLike, LuaInterface};
use fred::types::Builder;
use fred::types::config::Config;
use lingxi_cache::local::LocalCache;
use lingxi_cache::redis::{Guarded, Options, RedisCache};
use lingxi_cache::{Cache, Decision, Rate, conformance};
use lingxi_testing::until;
use tokio::task::JoinSet;

use crate::server::{Server, cluster_node, fresh_namespace, join, shared_url};

#[tokio::test]
async fn in_process() {
    conformance::run(LocalCache::shared()).await;
}

#[tokio::test]
async fn redis() {
    let namespace = fresh_namespace();
    let options = Options::parse(&shared_url(), &namespace).unwrap();
    let cache = RedisCache::connect(options).await.unwrap();
    conformance::run(Arc::new(cache)).await;
    tidy_up(&shared_url(), &namespace).await;
}

#[tokio::test]
async fn redis_with_a_net() {
    let namespace = fresh_namespace();
    let options = Options::parse(&shared_url(), &namespace).unwrap();
    let cache = Guarded::connect(options).await.unwrap();
    conformance::run(Arc::new(cache.clone())).await;
    cache.status().unwrap();
    tidy_up(&shared_url(), &namespace).await;
}

/// Everything written is in the namespace and runs out by itself; then it is removed.
async fn tidy_up(url: &str, namespace: &str) {
    let client = Builder::from_config(Config::from_url(url).unwrap())
        .build()
        .unwrap();
    client.init().await.unwrap();
    let lua = "local keys, lasting = redis.call('KEYS', ARGV[1] .. ':*'), {}
        for _, key in ipairs(keys) do
            if redis.call('PTTL', key) < 0 then lasting[#lasting + 1] = key end
            redis.call('DEL', key)
        end
        return {#keys, lasting}";
    let (found, lasting): (u32, Vec<String>) = client
        .eval(lua, Vec::<String>::new(), namespace)
        .await
        .unwrap();
    assert!(found > 0, "no key in the namespace {namespace}");
    assert!(lasting.is_empty(), "left behind for ever: {lasting:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster() {
    let servers = [cluster_node(), cluster_node(), cluster_node()];
    join(&servers);
    let url = format!("redis-cluster://127.0.0.1:{}", servers[1].port());
    until("the cluster is up", async || {
        RedisCache::connect(Options::parse(&url, "lingxi").unwrap())
            .await
            .is_ok()
    })
    .await;
    let options = Options::parse(&url, "lingxi").unwrap();
    let cache = RedisCache::connect(options).await.unwrap();
    conformance::run(Arc::new(cache)).await;

    let wrong = Options::parse(&servers[0].url(), "lingxi").unwrap();
    let error = RedisCache::connect(wrong).await.err().unwrap().to_string();
    assert!(error.contains("redis-cluster://"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_sentinel_and_over_a_failover() {
    let first = Server::start(&[]);
    let first_port = first.port().to_string();
    let second = Server::start(&[
        "--replicaof",
        "127.0.0.1",
        &first_port,
        "--repl-diskless-sync-delay",
        "0",
    ]);
    let text = format!(
        "sentinel monitor main 127.0.0.1 {first_port} 1\n\
         sentinel down-after-milliseconds main 500\n\
         sentinel failover-timeout main 3000\n"
    );
    let sentinel = Server::start_with_file(&text, &["--sentinel"]);
    let url = |name| {
        let at = sentinel.port();
        let url = format!("redis-sentinel://127.0.0.1:{at}?sentinelServiceName={name}");
        Options::parse(&url, "lingxi").unwrap()
    };
    let cache = RedisCache::connect(url("main")).await.unwrap();
    conformance::run(Arc::new(cache)).await;

    let unknown = RedisCache::connect(url("other")).await.err().unwrap();
    assert!(
        unknown.to_string().contains("sentinelServiceName"),
        "{unknown}"
    );
    let direct = Options::parse(&sentinel.url(), "lingxi").unwrap();
    let direct = RedisCache::connect(direct).await.err().unwrap();
    assert!(direct.to_string().contains("redis-sentinel://"), "{direct}");

    let guarded = Guarded::connect(url("main")).await.unwrap();
    until("the sentinel knows the replica", async || {
        let info = std::process::Command::new("redis-cli")
            .args([
                "-p",
                &sentinel.port().to_string(),
                "sentinel",
                "replicas",
                "main",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8(info.stdout).unwrap();
        said.contains(&second.port().to_string()) && said.contains("master-link-status\nok")
    })
    .await;
    first.process().kill9().await;
    until("the other one has taken over", async || {
        let _ = guarded.take("k", Rate::per_minute(1000), 1).await.unwrap();
        let told = Options::parse(&second.url(), "lingxi").unwrap();
        guarded.status().is_ok() && RedisCache::connect(told).await.is_ok()
    })
    .await;
}

/// After a failover Redis may have a clock that is behind.
#[tokio::test]
async fn a_clock_that_goes_back_gives_nothing_and_takes_nothing() {
    let namespace = fresh_namespace();
    let options = Options::parse(&shared_url(), &namespace).unwrap();
    let cache = RedisCache::connect(options).await.unwrap();
    let rate = Rate {
        burst: 3,
        per_second: 20.0,
    };
    assert_eq!(cache.take_upto("b", rate, 3).await.unwrap(), 3);
    let client = Builder::from_config(Config::from_url(&shared_url()).unwrap())
        .build()
        .unwrap();
    client.init().await.unwrap();
    let lua = "local at = redis.call('HGET', KEYS[1], 'at')
        return redis.call('HSET', KEYS[1], 'tokens', 0, 'at', at + 3600 * 1000000)";
    let key = format!("{namespace}:bucket:b");
    let added: u32 = client.eval(lua, key, Vec::<String>::new()).await.unwrap();
    assert_eq!(added, 0, "the fields have other names");
    assert_eq!(cache.take_upto("b", rate, 3).await.unwrap(), 0);
    until("it refills by the new clock", async || {
        cache.take("b", rate, 2).await.unwrap() == Decision::Allowed
    })
    .await;
    tidy_up(&shared_url(), &namespace).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_gives_no_more_than_it_holds_however_many_ask() {
    let namespace = fresh_namespace();
    let rate = Rate {
        burst: 50,
        per_second: 0.001,
    };
    let mut asking = JoinSet::new();
    for _ in 0..4 {
        let options = Options::parse(&shared_url(), &namespace).unwrap();
        let cache = Arc::new(RedisCache::connect(options).await.unwrap());
        for _ in 0..50 {
            let cache = cache.clone();
            asking.spawn(async move { cache.take("b", rate, 1).await.unwrap() });
        }
    }
    let answers = asking.join_all().await;
    let allowed = answers.iter().filter(|a| **a == Decision::Allowed).count();
    assert_eq!(allowed, 50);
    tidy_up(&shared_url(), &namespace).await;
}
