//! What connecting declares, and what it says when it cannot.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use lingxi_bus::nats::{NatsBus, Options};
use lingxi_bus::{Error, conformance};
use lingxi_testing::Port;
use serde_json::json;

use crate::server::Server;

async fn refusal(options: Options) -> String {
    match NatsBus::connect(options).await {
        Err(Error::Setup(why)) => {
            assert!(!why.contains('\n'), "one line: {why}");
            why
        }
        Err(other) => panic!("not a matter of setup: {other:?}"),
        Ok(_) => panic!("connected"),
    }
}

#[track_caller]
fn says(why: &str, words: &[&str]) {
    for word in words {
        assert!(why.contains(word), "{word:?} is not in: {why}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come() {
    let port = Port::reserve();
    let address = format!("127.0.0.1:{}", port.number);
    let options = Options {
        url: format!("nats://secret:hunter2@{address}"),
        ..Options::default()
    };
    let Err(Error::Unavailable(why)) = NatsBus::connect(options).await else {
        panic!("not away");
    };
    says(&why, &["nats_url", &address]);
    assert!(!why.contains("hunter2"), "{why}");
}

#[tokio::test]
async fn without_jetstream_it_says_so() {
    let server = Server::start_with("");
    says(
        &refusal(server.options()).await,
        &["JetStream is not enabled", "-js"],
    );
    let server = Server::start_with(
        "jetstream {}\n accounts { A { users: [{user: a, password: a}] }, B { jetstream: enabled, users: [{user: b, password: b}] } }",
    );
    let options = Options {
        url: format!("nats://a:a@{}", server.address()),
        ..server.options()
    };
    says(&refusal(options).await, &["not enabled for"]);
}

#[tokio::test]
async fn logins_are_those_of_the_url() {
    let server = Server::start_with("jetstream {}\n authorization { user: u, password: \"p@/\" }");
    let with = |login: &str| Options {
        url: format!("nats://{login}{}", server.address()),
        ..server.options()
    };
    for wrong in ["", "u:wrong@", "token@"] {
        says(
            &refusal(with(wrong)).await,
            &["refuses the login", "nats_url"],
        );
    }
    NatsBus::connect(with("u:p%40%2F@")).await.unwrap();
    let server = Server::start_with("jetstream {}\n authorization { token: sesame }");
    let options = Options {
        url: format!("nats://sesame@{}", server.address()),
        ..server.options()
    };
    NatsBus::connect(options).await.unwrap();
}

/// A certificate authority of its own, and a server's certificate by it.
fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    let commands = [
        format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority"),
        format!(
            "req -x509 {key} -keyout key.pem -out cert.pem -subj /CN=server -CA ca.pem -CAkey ca.key \
             -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
        ),
    ];
    for command in commands {
        let made = Command::new("openssl")
            .args(command.split_whitespace())
            .current_dir(folder)
            .output()
            .expect("openssl; ./test installs it");
        assert!(made.status.success(), "{made:?}");
    }
}

#[tokio::test]
async fn a_server_with_tls_is_trusted_by_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name);
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let server = Server::start_with(&format!(
        "jetstream {{}}\n tls {{ cert_file: {cert:?}, key_file: {key:?} }}"
    ));
    let with = |ca_file| Options {
        url: format!("tls://{}", server.address()),
        ca_file,
        ..server.options()
    };
    for untrusting in [None, Some(file("missing.pem"))] {
        let why = refusal(with(untrusting)).await;
        says(&why, &["TLS", "nats.ca_file"]);
    }
    let bus = NatsBus::connect(with(Some(file("ca.pem")))).await.unwrap();
    bus.check().await.unwrap();
}

#[tokio::test]
async fn an_old_server_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let info = r#"{"server_id":"x","version":"2.9.10","max_payload":1048576,"headers":true}"#;
        write!(stream, "INFO {info}\r\n").unwrap();
        for line in BufReader::new(stream.try_clone().unwrap()).lines() {
            if line.is_ok_and(|line| line.starts_with("PING")) {
                write!(stream, "PONG\r\n").unwrap();
            }
        }
    });
    let options = Options {
        url,
        ..Options::default()
    };
    says(&refusal(options).await, &["2.9.10", "2.12", "upgrade"]);
}

#[tokio::test]
async fn what_the_server_cannot_keep_is_said() {
    let server = Server::start_with("jetstream { max_file_store: 100MB }");
    let three = Options {
        replicas: 3,
        ..server.options()
    };
    says(&refusal(three).await, &["CHAT", "nats.replicas"]);
    let large = Options {
        max_log_bytes: 1 << 40,
        ..server.options()
    };
    says(
        &refusal(large).await,
        &["CHAT", "no room", "nats.max_log_bytes"],
    );
}

#[tokio::test]
async fn foreign_streams_are_left_alone() {
    let server = Server::start();
    let client = server.client().await;
    let create = async |config: serde_json::Value| {
        let call = format!("$JS.API.STREAM.CREATE.{}", config["name"].as_str().unwrap());
        let answer = client
            .request(call, config.to_string().into())
            .await
            .unwrap();
        assert!(!String::from_utf8_lossy(&answer.payload).contains("error"));
    };
    create(json!({"name": "a_CHAT", "subjects": ["a.chat.in.*"], "retention": "workqueue", "storage": "file"})).await;
    create(json!({"name": "b_CHAT", "subjects": ["b.chat.in.*"], "retention": "limits", "storage": "memory"})).await;
    create(json!({"name": "c_CHAT", "subjects": ["something.else"], "retention": "limits", "storage": "file"})).await;
    create(json!({"name": "theirs", "subjects": ["d.chat.in.>"], "retention": "limits", "storage": "file"})).await;
    for (namespace, words) in [
        (
            "a",
            ["a_CHAT", "retention", "workqueue", "nats stream rm a_CHAT"],
        ),
        ("b", ["b_CHAT", "storage", "memory", "namespace"]),
        ("c", ["c_CHAT", "subjects", "something.else", "namespace"]),
        ("d", ["d_CHAT", "d.chat.in.*", "theirs", "namespace"]),
    ] {
        let options = Options {
            namespace: namespace.to_owned(),
            ..server.options()
        };
        says(&refusal(options).await, &words);
    }
}

#[tokio::test]
async fn many_may_declare_at_once() {
    let options = conformance::nats::fresh_options();
    let connecting: Vec<_> = (0..8)
        .map(|_| tokio::spawn(NatsBus::connect(options.clone())))
        .collect();
    for connecting in connecting {
        connecting.await.unwrap().unwrap();
    }
    conformance::nats::remove(&options).await;
}

#[tokio::test]
async fn settings_are_updated_and_read_back() {
    let options = conformance::nats::fresh_options();
    let first = NatsBus::connect(options.clone()).await.unwrap();
    first.append(0, "kept".into()).await.unwrap();
    let wanted = Options {
        max_log_bytes: 32 << 20,
        ..options.clone()
    };
    let second = NatsBus::connect(wanted).await.unwrap();
    assert_eq!(second.log_info().await, first.log_info().await);
    let chat = format!(
        "{}_CHAT: file, limits, replicas 1, at most 4000000 messages and 32 MiB",
        options.namespace
    );
    says(
        &second.describe(),
        &["NATS 2.", &chat, "_AGENT: file, workqueue"],
    );
    assert_eq!(second.check().await, Ok(()));
    conformance::nats::remove(&options).await;
}

#[tokio::test]
async fn how_the_servers_sync_is_read_from_their_monitoring_ports() {
    let port = Port::reserve;
    let monitored = |port: &Port, jetstream: &str| {
        let number = port.number;
        Server::start_with(&format!(
            "server_name: at-{number}\n http: \"127.0.0.1:{number}\"\n {jetstream}"
        ))
    };
    let (at_times, always, without, nobody) = (port(), port(), port(), port());
    let server = monitored(&at_times, "jetstream { sync_interval: 7s }");
    let _others = [
        monitored(&always, "jetstream { sync_interval: always }"),
        monitored(&without, ""),
    ];
    let with = |monitoring_url: String| Options {
        monitoring_url,
        ..server.options()
    };
    let ports = [&at_times, &always, &without, &nobody];
    let urls = ports.map(|port| format!("http://secret:hunter2@127.0.0.1:{}/", port.number));
    let bus = NatsBus::connect(with(urls.join(", "))).await.unwrap();
    let described = bus.describe();
    says(
        &described,
        &[
            "NATS 2.",
            "CHAT: file",
            &format!("server at-{} syncs to the disk every 7s", at_times.number),
            &format!("server at-{} syncs each write to the disk", always.number),
            &format!("server at-{} has no JetStream", without.number),
            &format!(
                "the server monitored at 127.0.0.1:{} does not tell how often it syncs",
                nobody.number
            ),
        ],
    );
    assert!(!described.contains("hunter2"), "{described}");

    // Not a matter of being able to work.
    let bus = NatsBus::connect(server.options()).await.unwrap();
    says(&bus.describe(), &["nats.monitoring_url is not set"]);
    for wrong in [
        "nats://user:hunter2@127.0.0.1:8222",
        "127.0.0.1:8222",
        "http://",
    ] {
        let why = refusal(with(wrong.to_owned())).await;
        says(&why, &["nats.monitoring_url", "http://host:8222"]);
        assert!(!why.contains("hunter2"), "{why}");
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_during_the_start_is_put_in_order() {
    let port = Port::reserve();
    let http = format!("127.0.0.1:{}", port.number);
    let mut server = Server::start_with(&format!("http: \"{http}\"\n jetstream {{}}"));
    // Takes the question, and gives no answer until the server was away and is back.
    let monitoring = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = Options {
        monitoring_url: format!("http://{}", monitoring.local_addr().unwrap()),
        ..server.options()
    };
    let connecting = tokio::spawn(NatsBus::connect(options));
    let (asking, _) = monitoring.accept().await.unwrap();
    server.process().kill9().await;
    server.start_again();
    lingxi_testing::until("the bus is connected again", async || {
        let connections = reqwest::get(format!("http://{http}/connz")).await.unwrap();
        let connections: serde_json::Value = connections.json().await.unwrap();
        connections["num_connections"] == 1
    })
    .await;
    drop(asking);
    let bus = connecting.await.unwrap().unwrap();
    lingxi_testing::until("the bus is in order", async || bus.check().await.is_ok()).await;
}
