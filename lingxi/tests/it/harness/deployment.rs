//! A running system of one or more processes, and how a test asks for one.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::port::Port;
use super::process::Process;
use super::user::User;

/// In which shape the system runs. Every behaviour holds in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One process on SQLite with the in-process bus.
    Embedded,
}

impl Mode {
    /// A deployment with the tests' defaults.
    pub(crate) async fn start(self) -> Deployment {
        self.options().start().await
    }

    /// Options to change before the start.
    pub(crate) fn options(self) -> Options {
        Options {
            mode: self,
            env: Vec::new(),
            wrapper: Vec::new(),
        }
    }

    /// Options with one variable set.
    pub(crate) fn with(self, key: &str, value: impl ToString) -> Options {
        self.options().with(key, value)
    }
}

/// What a deployment is started with, beyond the defaults of every test.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    mode: Mode,
    env: Vec<(String, String)>,
    wrapper: Vec<String>,
}

impl Options {
    /// Sets an environment variable of every process.
    pub(crate) fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.env.push((key.to_owned(), value.to_string()));
        self
    }

    /// Puts a command (strace, say) before the server's.
    pub(crate) fn wrapped(mut self, command: &[&str]) -> Self {
        self.wrapper = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Starts it and waits until every process is ready.
    pub(crate) async fn start(self) -> Deployment {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()
            .expect("an HTTP client");
        let folder = tempfile::Builder::new()
            .prefix("lingxi-it-")
            .tempdir()
            .expect("a temporary folder");
        let nodes = match self.mode {
            Mode::Embedded => vec![Node::start(&self, folder.path(), &http).await],
        };
        Deployment {
            nodes,
            http,
            next_node: AtomicUsize::new(0),
            folder,
        }
    }
}

/// One process with its addresses, which stay the same over restarts.
#[derive(Debug)]
struct Node {
    public: Port,
    internal: Port,
    _grpc: Port,
    env: Vec<(String, String)>,
    wrapper: Vec<String>,
    log: PathBuf,
    process: Process,
    ready_after: Duration,
}

impl Node {
    async fn start(options: &Options, folder: &Path, http: &reqwest::Client) -> Self {
        let log = folder.join("server.log");
        // A port may still be taken between the reservation and the bind, by something that is no test of ours.
        for _ in 0..5 {
            let (public, internal, grpc) = (Port::reserve(), Port::reserve(), Port::reserve());
            let address = |port: &Port| format!("127.0.0.1:{}", port.number);
            let defaults = [
                ("LINGXI__LISTEN", address(&public)),
                ("LINGXI__INTERNAL_LISTEN", address(&internal)),
                ("LINGXI__GRPC_LISTEN", address(&grpc)),
                (
                    "LINGXI__DATA_DIR",
                    folder.join("data").display().to_string(),
                ),
                ("LINGXI__BCRYPT_COST", "4".to_owned()),
                ("LINGXI__RATE_LIMITS", "off".to_owned()),
                ("LINGXI__AI__DETECT_OLLAMA", "false".to_owned()),
                ("LINGXI__LOG", "warn".to_owned()),
            ];
            let mut env: Vec<_> = defaults
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            env.extend(options.env.iter().cloned());
            let process = Process::spawn(&env, &options.wrapper, folder, &log);
            let ready = format!("http://{}/readyz", address(&internal));
            if let Ok(ready_after) = process.answers(http, &ready).await {
                return Self {
                    public,
                    internal,
                    _grpc: grpc,
                    env,
                    wrapper: options.wrapper.clone(),
                    log,
                    process,
                    ready_after,
                };
            }
        }
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        panic!("the server ended five times instead of starting; it said:\n{said}");
    }

    fn internal_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.internal.number)
    }
}

/// A running system. Dropping it ends its processes; a failing test prints what they logged.
#[derive(Debug)]
pub(crate) struct Deployment {
    nodes: Vec<Node>,
    pub(crate) http: reqwest::Client,
    next_node: AtomicUsize,
    folder: TempDir,
}

impl Deployment {
    /// `http://host:port` of a gateway; numbers past the last node begin again at the first.
    pub(crate) fn base_url(&self, node: usize) -> String {
        let node = &self.nodes[node % self.nodes.len()];
        format!("http://127.0.0.1:{}", node.public.number)
    }

    /// The internal port's URL of a node, with `path`.
    pub(crate) fn internal_url(&self, node: usize, path: &str) -> String {
        self.nodes[node % self.nodes.len()].internal_url(path)
    }

    /// A new user, logged in. Users are spread over the gateways.
    pub(crate) async fn user(&self, name: &str) -> User {
        let node = self.next_node.fetch_add(1, Ordering::Relaxed);
        User::register(self.http.clone(), self.base_url(node), name).await
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> super::Rest {
        super::Rest::new(self.http.clone(), self.base_url(0))
    }

    /// How long the slowest node took from its start to its first 200 of `/readyz`.
    pub(crate) fn ready_after(&self) -> Duration {
        self.nodes
            .iter()
            .map(|node| node.ready_after)
            .max()
            .unwrap_or_default()
    }

    /// The process of a node.
    pub(crate) fn process(&self, node: usize) -> &Process {
        &self.nodes[node % self.nodes.len()].process
    }

    /// SIGKILL to a node, and waits until it is gone.
    pub(crate) async fn kill9(&self, node: usize) {
        self.process(node).kill9().await;
    }

    /// SIGTERM to a node, without waiting.
    pub(crate) fn sigterm(&self, node: usize) {
        self.process(node).sigterm();
    }

    /// Starts an ended node again: same ports, same data.
    pub(crate) async fn restart(&mut self, node: usize) {
        let count = self.nodes.len();
        let node = &mut self.nodes[node % count];
        node.process.exit().await;
        node.process = Process::spawn(&node.env, &node.wrapper, self.folder.path(), &node.log);
        let ready = node.internal_url("/readyz");
        node.ready_after = node
            .process
            .answers(&self.http, &ready)
            .await
            .unwrap_or_else(|status| panic!("the server ended at its restart: {status}"));
    }

    /// A folder that lives as long as the deployment.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for node in &self.nodes {
                let said = std::fs::read_to_string(&node.log).unwrap_or_default();
                let tail = said.len().saturating_sub(20_000);
                let tail = (tail..said.len())
                    .find(|&at| said.is_char_boundary(at))
                    .unwrap_or(said.len());
                eprintln!("--- {} ---\n{}", node.log.display(), &said[tail..]);
            }
        }
    }
}
