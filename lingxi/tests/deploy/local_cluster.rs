//! The same topology without Docker: deploy/local/cluster.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use lingxi_bench::simulator::{Fault, Reply, Script, Simulator};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::balancer::haproxy_accepts;
use crate::{BINARY, Vars, path, root, said};

/// What must happen happens within this, on a loaded machine and with a debug build.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A cluster that deploy/local/cluster runs; stopped at the end, however the test ends.
struct Cluster {
    folder: tempfile::TempDir,
    port: u16,
    env: Vars,
}

impl Cluster {
    fn new(env: Vars) -> Self {
        Self {
            folder: tempfile::Builder::new()
                .prefix("lingxi-cluster-")
                .tempdir()
                .expect("a folder"),
            port: free_ports::<1>()[0],
            env,
        }
    }

    /// Runs the script; the caller's own settings do not reach it.
    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(root().join("deploy/local/cluster"))
            .args(arguments)
            .arg("--dir")
            .arg(self.folder.path())
            .env_clear()
            .env("PATH", path())
            .env("HOME", std::env::var_os("HOME").unwrap_or_default())
            .env("LINGXI_BINARY", BINARY)
            .envs(&self.env)
            .output()
            .expect("the script starts")
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        said(&output)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What the script remembers: the number of a port, say.
    fn state(&self, key: &str) -> String {
        let state = std::fs::read_to_string(self.folder.path().join("state")).expect("a state");
        let lines = state.lines().filter_map(|line| line.split_once(' '));
        let mut found = lines.filter(|(name, _)| *name == key);
        found
            .next()
            .unwrap_or_else(|| panic!("no {key}"))
            .1
            .to_owned()
    }

    /// Processes of this cluster, whoever started them: by their working folder or their arguments.
    fn processes(&self) -> Vec<String> {
        let folder = self.folder.path().canonicalize().expect("the folder");
        let name = folder.display().to_string();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
            let here = std::fs::read_link(entry.path().join("cwd"))
                .is_ok_and(|cwd| cwd.starts_with(&folder));
            let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if here || line.contains(&name) {
                found.push(format!("{} {line}", entry.file_name().display()));
            }
        }
        found
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

/// Ones that nobody listens on, above those that the kernel gives to outgoing connections; never the same again. HAProxy
/// would share a port with another one, and each would get some of both tests' connections.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Tests that are processes of their own begin apart.
    let first = std::process::id() % 250 * 16;
    let candidates = std::iter::repeat_with(|| TAKEN.fetch_add(1, Ordering::Relaxed));
    let ports: Vec<u16> = candidates
        .take(4000)
        .filter_map(|step| u16::try_from(61_000 + (first + step) % 4000).ok())
        .filter(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .take(N)
        .collect();
    ports.try_into().expect("free ports")
}

/// A client that opens a connection for each request, so that each is balanced anew.
struct Client {
    http: reqwest::Client,
    token: String,
}

impl Client {
    async fn post(&self, url: &str, body: Value) -> reqwest::Response {
        let request = self.http.post(url).bearer_auth(&self.token).json(&body);
        request.send().await.expect("an answer")
    }
}

async fn sign_up(cluster: &Cluster) -> Client {
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0);
    let mut client = Client {
        http: http.timeout(DEADLINE).build().expect("a client"),
        token: String::new(),
    };
    let who = json!({"username": "alice", "password": "correct horse"});
    let made = client
        .post(&cluster.url("/api/v1/user/register"), who.clone())
        .await;
    assert_eq!(made.status(), 200);
    let login = client.post(&cluster.url("/api/v1/user/login"), who).await;
    let login: Value = login.json().await.expect("JSON");
    login["token"]
        .as_str()
        .expect("a token")
        .clone_into(&mut client.token);
    client
}

/// Writes to oneself over a WebSocket through the balancer: the ACK and the message itself come back.
async fn talk(cluster: &Cluster, client: &Client, msg_id: &str) {
    let url = cluster.url(&format!("/api/v1/ws?token={}", client.token));
    let (mut socket, _) = tokio_tungstenite::connect_async(url.replacen("http", "ws", 1))
        .await
        .expect("a WebSocket");
    let frame = json!({"type": 2, "msg_id": msg_id, "to": "alice", "content": msg_id});
    socket
        .send(Message::text(frame.to_string()))
        .await
        .expect("sent");
    let (mut acknowledged, mut echoed) = (false, false);
    while !(acknowledged && echoed) {
        let next = tokio::time::timeout(DEADLINE, socket.next())
            .await
            .expect("a frame in time");
        let Message::Text(text) = next.expect("no end").expect("no error") else {
            continue;
        };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        if frame["msg_id"] != msg_id {
            continue;
        }
        match frame["type"].as_u64() {
            Some(3) => acknowledged = frame["status"] == "delivered" || frame["status"] == "stored",
            Some(2) => echoed = frame["content"] == msg_id,
            _ => {}
        }
    }
    socket.close(None).await.expect("closed");
}

/// Reads an answer's events until its text is `wanted`.
async fn read_until(mut answer: reqwest::Response, wanted: &str) {
    assert_eq!(answer.status(), 200);
    let (mut text, mut unparsed) = (String::new(), String::new());
    while text != wanted {
        let more = tokio::time::timeout(DEADLINE, answer.chunk()).await;
        let more = more.unwrap_or_else(|_| panic!("only {text:?} has come through"));
        let more = more.expect("no error").expect("no end");
        unparsed += str::from_utf8(&more).expect("UTF-8");
        while let Some((line, rest)) = unparsed.split_once('\n') {
            let event = line
                .strip_prefix("data:")
                .and_then(|data| serde_json::from_str(data).ok());
            let event: Value = event.unwrap_or_default();
            if event["type"] == "chunk" {
                text += event["content"].as_str().expect("content");
            }
            unparsed = rest.to_owned();
        }
    }
}

/// The bus and the cache ask who comes, and nobody sees the password in a list of processes.
fn strangers_are_refused(cluster: &Cluster) {
    for (port, says, expected) in [
        (
            "nats.port",
            "CONNECT {}\r\nPING\r\n",
            "Authorization Violation",
        ),
        ("redis.port", "PING\r\n", "NOAUTH"),
    ] {
        let port: u16 = cluster.state(port).parse().expect("a port");
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a server");
        stream
            .set_read_timeout(Some(DEADLINE))
            .expect("a socket that is open");
        stream.write_all(says.as_bytes()).expect("sent");
        let (mut answer, mut part) = (String::new(), [0; 4096]);
        while !answer.contains(expected) {
            match stream.read(&mut part) {
                Ok(read @ 1..) => answer += &String::from_utf8_lossy(&part[..read]),
                ended => panic!("{port}: {ended:?} after {answer:?}"),
            }
        }
    }
    let secrets = std::fs::read_to_string(cluster.folder.path().join("secrets"));
    let secrets = secrets.expect("the secrets");
    let secrets: Vec<_> = secrets
        .lines()
        .filter_map(|l| l.split('\'').nth(1))
        .collect();
    assert_eq!(secrets.len(), 6, "one for each that asks");
    for process in cluster.processes() {
        let shown = secrets.iter().any(|secret| process.contains(secret));
        assert!(!shown, "a secret is among the arguments of {process}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_cluster_runs_without_docker() {
    // Eight words and then silence: what the model has said must be with the client, not in the balancer.
    let silent = Reply::text(&"word ".repeat(20)).fault(Fault::Stall {
        after: 10,
        ms: None,
    });
    let model = Simulator::start(Script::always(silent))
        .await
        .expect("a simulator");
    let mut env = Vars::new();
    for (name, value) in [
        ("LINGXI__BCRYPT_COST", "4"),
        ("LINGXI__AI__PROVIDERS__0__NAME", "simulator"),
        ("LINGXI__AI__PROVIDERS__0__BASE_URL", &model.base_url()),
        ("LINGXI__AI__PROVIDERS__0__MODEL", "a model"),
    ] {
        env.insert(name.to_owned(), value.to_owned());
    }
    let cluster = Cluster::new(env);
    let port = cluster.port.to_string();
    let shown = cluster.succeeds(&["up", "--port", &port]);
    assert!(
        shown.contains(&format!("http://127.0.0.1:{port}")),
        "{shown}"
    );
    for role in [
        "gateway-1",
        "gateway-2",
        "chat-worker-2",
        "ai-worker-2",
        "admin-api",
        "balancer",
    ] {
        let ready = |line: &str| line.starts_with(role) && line.trim_end().ends_with(" ready");
        assert!(shown.lines().any(ready), "{role}: {shown}");
    }
    haproxy_accepts(&cluster.folder.path().join("backends.cfg"));
    let secrets = std::fs::metadata(cluster.folder.path().join("secrets")).expect("the secrets");
    assert_eq!(secrets.permissions().mode() & 0o777, 0o600);

    strangers_are_refused(&cluster);

    let client = sign_up(&cluster).await;
    let ready = format!(
        "http://127.0.0.1:{}/readyz",
        cluster.state("gateway-1.internal")
    );
    let ready = client.http.get(ready).send().await.expect("an answer");
    let ready: Value = ready.json().await.expect("JSON");
    for (name, fact) in [
        ("store", "innodb_flush_log_at_trx_commit"),
        ("bus", "replicas 1"),
        ("bus", "syncs to the disk every"),
    ] {
        let stated = ready["facts"][name].as_str().unwrap_or_default();
        assert!(stated.contains(fact), "{fact:?} is not in {ready}");
    }
    talk(&cluster, &client, "first").await;
    let question = json!({"message": "go on"});
    let answer = client.post(&cluster.url("/api/v1/ai/chat"), question).await;
    read_until(answer, &"word ".repeat(8)).await;
    assert_eq!(model.open_answers(), 1, "the model still has not finished");
    // Cuts its answers: a worker would wait for the rest when it is told to stop.
    drop(model);
    // Only the operators' API knows this path.
    let who = json!({"username": "alice", "password": "correct horse"});
    let refused = client.post(&cluster.url("/api/admin/login"), who).await;
    assert_eq!(refused.status(), 401);

    // The image's health check, in the place where it can be tried: it reads nothing but the port.
    let healthy = |port: &str| {
        let script = root().join("deploy/docker/lingxi-ready");
        let output = Command::new(script)
            .env("LINGXI__INTERNAL_LISTEN", format!("0.0.0.0:{port}"))
            .output();
        output.expect("the script starts").status.success()
    };
    let internal = cluster.state("gateway-1.internal");
    assert!(healthy(&internal));
    cluster.succeeds(&["status"]);

    // A gateway that is killed takes nothing with it but what it was doing.
    let pid = std::fs::read_to_string(cluster.folder.path().join("gateway-1.pid")).expect("a pid");
    let killed = Command::new("kill").args(["-KILL", pid.trim()]).status();
    assert!(killed.expect("kill").success());
    for _ in 0..40 {
        let asked = client
            .http
            .get(cluster.url("/api/v1/user/me"))
            .bearer_auth(&client.token);
        assert_eq!(asked.send().await.expect("an answer").status(), 200);
    }
    talk(&cluster, &client, "second").await;
    assert!(!healthy(&internal));
    let output = cluster.run(&["status"]);
    assert!(
        !output.status.success() && said(&output).contains("down"),
        "{}",
        said(&output)
    );
    cluster.succeeds(&["up"]);
    cluster.succeeds(&["status"]);

    assert!(
        cluster.processes().len() >= 11,
        "{:#?}",
        cluster.processes()
    );
    cluster.succeeds(&["down"]);
    assert!(cluster.processes().is_empty(), "{:#?}", cluster.processes());
}
