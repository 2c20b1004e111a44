//! What a process of a cluster says when something that it needs is missing or refuses: one line, with what to do.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::harness::{Backends, Kind, Port, Server, answers, binary, lingxi, until};

const ROLES: [&str; 4] = ["gateway", "chat-worker", "ai-worker", "admin-api"];

type Env = Vec<(String, String)>;

fn with(env: &Env, key: &str, value: &str) -> Env {
    let mut env = env.clone();
    env.push((key.to_owned(), value.to_owned()));
    env
}

/// Listens on ports that the system picks.
fn with_any_ports(mut env: Env) -> Env {
    for key in ["LISTEN", "INTERNAL_LISTEN", "GRPC_LISTEN"] {
        env.push((format!("LINGXI__{key}"), "127.0.0.1:0".to_owned()));
    }
    env
}

fn run(arguments: &[&str], env: &Env, folder: &Path) -> Output {
    Command::new("timeout")
        .arg("60")
        .arg(binary())
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(env.iter().cloned())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the binary")
}

/// Every role ends with a failure, and its last line has all of `says`.
fn refuses(env: &Env, says: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    let env = with_any_ports(with(env, "LINGXI__LOG", "error"));
    for role in ROLES {
        let output = run(&[role], &env, folder.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{role}: {said}");
        let line = said.lines().last().unwrap_or_default();
        for word in says {
            assert!(
                line.to_lowercase().contains(&word.to_lowercase()),
                "{role} does not say {word:?}: {said}"
            );
        }
        assert_eq!(
            said.lines()
                .filter(|line| line.starts_with("lingxi:"))
                .count(),
            1,
            "{role}: {said}"
        );
    }
}

#[tokio::test]
async fn a_database_that_is_away_or_refuses() {
    let backends = Backends::shared().await;
    let env = backends.env();
    let (server, _) = backends.database_url.rsplit_once('/').expect("a URL");
    let host = server.rsplit('@').next().expect("a host");
    let url = |url: &str| with(&env, "LINGXI__DATABASE_URL", url);
    refuses(
        &url("mysql://root@127.0.0.1:1/lingxi"),
        &["127.0.0.1:1", "refused"],
    );
    refuses(
        &url(&format!("mysql://nobody:wrong@{host}/lingxi")),
        &["access denied", "nobody"],
    );
    refuses(
        &url(&format!("{server}/lingxi_it_that_is_not_there")),
        &["lingxi_it_that_is_not_there", "lingxi migrate"],
    );
    // There, and empty.
    refuses(
        &url(&format!("{server}/mysql")),
        &["schema", "lingxi migrate"],
    );
}

#[tokio::test]
async fn a_message_bus_that_is_away_or_refuses() {
    let backends = Backends::shared().await;
    let env = backends.env();
    let folder = tempfile::tempdir().expect("a folder");
    let at = |server: &Server| {
        with(
            &env,
            "LINGXI__NATS_URL",
            &format!("nats://{}", server.address()),
        )
    };
    refuses(
        &with(&env, "LINGXI__NATS_URL", "nats://127.0.0.1:1"),
        &["127.0.0.1:1", "refused"],
    );
    let guarded = Server::start_with(
        Kind::Nats,
        &folder.path().join("guarded"),
        "",
        &["--jetstream", "--user", "lingxi", "--pass", "secret"],
    );
    refuses(&at(&guarded), &["refuses the login", "nats_url"]);
    let without = Server::start_with(Kind::Nats, &folder.path().join("without"), "", &[]);
    refuses(&at(&without), &["JetStream"]);
    refuses(
        &with(
            &with(&env, "LINGXI__NATS__REPLICAS", "3"),
            "LINGXI__NAMESPACE",
            "three",
        ),
        &["replicas"],
    );
}

/// Greets like a server of long ago.
fn old_nats() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let info = "INFO {\"server_id\":\"OLD\",\"server_name\":\"old\",\"version\":\"2.9.10\",\"go\":\"go1.19\",\
                \"host\":\"127.0.0.1\",\"port\":4222,\"headers\":true,\"max_payload\":1048576,\"proto\":1,\
                \"jetstream\":true,\"client_id\":1}\r\n";
            let _ = stream.write_all(info.as_bytes());
            std::thread::spawn(move || {
                let mut said = [0_u8; 4096];
                while let Ok(read @ 1..) = stream.read(&mut said) {
                    for _ in 0..String::from_utf8_lossy(&said[..read])
                        .matches("PING\r\n")
                        .count()
                    {
                        let _ = stream.write_all(b"PONG\r\n");
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn an_old_message_bus() {
    let backends = Backends::shared().await;
    let url = format!("nats://{}", old_nats());
    refuses(
        &with(&backends.env(), "LINGXI__NATS_URL", &url),
        &["2.9.10", "2.12"],
    );
}

#[tokio::test]
async fn a_cache_that_refuses_or_is_no_cache() {
    let backends = Backends::shared().await;
    let env = backends.env();
    let folder = tempfile::tempdir().expect("a folder");
    let guarded = Server::start_with(Kind::Redis, folder.path(), "", &["--requirepass", "secret"]);
    refuses(
        &with(
            &env,
            "LINGXI__REDIS_URL",
            &format!("redis://{}", guarded.address()),
        ),
        &["redis", "password"],
    );
    refuses(
        &with(&env, "LINGXI__REDIS_URL", "http://127.0.0.1:1"),
        &["redis_url"],
    );
}

#[tokio::test]
async fn a_cluster_that_lacks_a_part() {
    let backends = Backends::shared().await;
    for (key, value, says) in [
        ("LINGXI__JWT_SECRET", "short", "jwt_secret"),
        (
            "LINGXI__CLUSTER_TOKEN",
            "change-me-change-me-change-me-change-me",
            "cluster_token",
        ),
    ] {
        refuses(&with(&backends.env(), key, value), &[says]);
    }
    let mut without = backends.env();
    without.retain(|(key, _)| key != "LINGXI__NATS_URL");
    refuses(&without, &["nats_url"]);
    refuses(&Vec::new(), &["nats_url", "database_url", "redis_url"]);
}

#[tokio::test]
async fn what_is_waited_for_may_come_later() {
    let backends = Backends::shared().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut nats = Server::start(Kind::Nats, folder.path(), &[]);
    nats.process.kill9().await;
    let port = Port::reserve();
    let env = with(
        &with_any_ports(backends.env()),
        "LINGXI__NATS_URL",
        &format!("nats://{}", nats.address()),
    );
    let internal = format!("127.0.0.1:{}", port.number);
    let env = with(&env, "LINGXI__INTERNAL_LISTEN", &internal);
    let log = folder.path().join("log");
    let process = lingxi(
        &["chat-worker", "--wait-for", "60"],
        &env,
        &[],
        folder.path(),
        &log,
    );
    until("it says what it waits for", async || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        said.contains("waiting for the message bus")
    })
    .await;
    nats.restart();
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(5))
        .build()
        .expect("an HTTP client");
    let ready = format!("http://{internal}/readyz");
    let ready = answers(&process, &http, &ready).await;
    ready.expect("it becomes ready");
}
