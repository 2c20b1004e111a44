//! A running system of one or more processes, and how a test asks for one.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lingxi_testing::{Kind, Port, Process, Server, SmallDisk};
use tempfile::TempDir;

use super::backends::Backends;
use super::failing_disk::FailingDisk;
use super::links::Links;
use super::process::{answers, lingxi};
use super::proxy::Proxy;
use super::user::User;

/// In which shape the system runs. Every behaviour holds in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One process on SQLite with the in-process bus.
    Embedded,
    /// Several processes on MariaDB, NATS and Redis: two gateways, two chat workers, an AI worker.
    Cluster,
}

/// A cluster's processes by role. Users are spread over the gateways, which come first.
pub(crate) const CLUSTER: &[&str] = &[
    "gateway",
    "gateway",
    "chat-worker",
    "chat-worker",
    "ai-worker",
];

impl Mode {
    /// A deployment with the tests' defaults.
    pub(crate) async fn start(self) -> Deployment {
        self.options().start().await
    }

    /// Options to change before the start.
    pub(crate) fn options(self) -> Options {
        Options {
            roles: match self {
                Self::Embedded => &["all"],
                Self::Cluster => CLUSTER,
            },
            mode: self,
            env: Vec::new(),
            wrapper: Vec::new(),
            descriptors: None,
            own_servers: false,
            proxied: false,
            disk: None,
            failing_disk: false,
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
    roles: &'static [&'static str],
    env: Vec<(String, String)>,
    wrapper: Vec<String>,
    descriptors: Option<u32>,
    own_servers: bool,
    proxied: bool,
    disk: Option<u64>,
    failing_disk: bool,
}

impl Options {
    /// Sets an environment variable of every process.
    pub(crate) fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.env.push((key.to_owned(), value.to_string()));
        self
    }

    /// Puts a command (strace, say) before the process that writes to the disk: the server itself, or the database.
    pub(crate) fn wrapped(mut self, command: &[&str]) -> Self {
        self.wrapper = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Processes that may have only so many descriptors open.
    pub(crate) fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// Other processes than the mode's usual ones; the gateways first.
    pub(crate) fn roles(mut self, roles: &'static [&'static str]) -> Self {
        self.roles = roles;
        self
    }

    /// Database, bus and cache servers of its own, to be killed and paused.
    pub(crate) fn own_servers(mut self) -> Self {
        self.own_servers = true;
        self
    }

    /// Servers of its own, each reached by each process through a proxy, and proxies before the gateways.
    pub(crate) fn proxied(mut self) -> Self {
        self.proxied = true;
        self.own_servers()
    }

    /// Keeps what is stored on a disk of its own of that many megabytes: the data folder, or the database's.
    pub(crate) fn small_disk(mut self, megabytes: u64) -> Self {
        self.disk = Some(megabytes);
        self.own_servers()
    }

    /// Puts a disk that can be made to fail below what is stored: the data folder, or the database's.
    pub(crate) fn failing_disk(mut self) -> Self {
        self.failing_disk = true;
        self.own_servers()
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
        let disk = self
            .disk
            .map(|megabytes| SmallDisk::mount(folder.path().join("disk"), megabytes));
        let (mut env, mut wrapper) = (self.env, self.wrapper);
        if let Some(disk) = &disk {
            let data = disk.path().join("data").display().to_string();
            env.push(("LINGXI__DATA_DIR".to_owned(), data));
        }
        let failing = self
            .failing_disk
            .then(|| FailingDisk::below(folder.path(), self.mode));
        let backends = match self.mode {
            Mode::Embedded => {
                let set = failing.iter().flat_map(FailingDisk::env);
                env.extend(set.map(|(key, value)| (key.to_owned(), value)));
                None
            }
            Mode::Cluster => {
                let own = self.own_servers || !wrapper.is_empty();
                // It is the database that writes to the disk.
                let mut wrapper = std::mem::take(&mut wrapper);
                wrapper.extend(failing.iter().flat_map(FailingDisk::wrapper));
                let arguments: &[&str] = match failing {
                    // Through the C library, not past it.
                    Some(_) => &["--innodb-use-native-aio=0", "--skip-stack-trace"],
                    None => &[],
                };
                let backends = if own {
                    let database = disk.as_ref().map_or(folder.path(), SmallDisk::path);
                    Backends::own(folder.path(), database, &wrapper, arguments).await
                } else {
                    Backends::shared().await
                };
                let mut all = backends.env();
                all.append(&mut env);
                env = all;
                Some(backends)
            }
        };
        if let Some(most) = self.descriptors {
            let limit = format!("--nofile={most}:{most}");
            wrapper.extend(["prlimit".to_owned(), limit]);
        }
        let (mut nodes, mut links) = (Vec::new(), Vec::new());
        for (number, role) in self.roles.iter().enumerate() {
            let log = folder.path().join(format!("{number}-{role}.log"));
            let mut env = env.clone();
            if let Some(backends) = backends.as_ref().filter(|_| self.proxied) {
                let through = Links::start(backends).await;
                env.extend(through.env());
                links.push(through);
            }
            nodes.push(Node::spawn(role, &env, &wrapper, folder.path(), log));
        }
        let mut edges = Vec::new();
        for node in &mut nodes {
            node.is_ready(&http, folder.path()).await;
            if self.proxied && node.is_gateway() {
                let public = format!("127.0.0.1:{}", node.public.number);
                edges.push(Proxy::start(public).await);
            }
        }
        Deployment {
            nodes,
            backends,
            links,
            edges,
            http,
            next_node: AtomicUsize::new(0),
            disk,
            failing,
            folder,
        }
    }
}

/// One process with its addresses, which stay the same over restarts.
#[derive(Debug)]
struct Node {
    role: &'static str,
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
    fn spawn(
        role: &'static str,
        env: &[(String, String)],
        wrapper: &[String],
        folder: &Path,
        log: PathBuf,
    ) -> Self {
        let (public, internal, grpc) = (Port::reserve(), Port::reserve(), Port::reserve());
        let env = with_defaults(env, (&public, &internal, &grpc), folder);
        let process = lingxi(&[role], &env, wrapper, folder, &log);
        Self {
            role,
            public,
            internal,
            _grpc: grpc,
            env,
            wrapper: wrapper.to_vec(),
            log,
            process,
            ready_after: Duration::ZERO,
        }
    }

    /// Waits until it is. A port may have been taken between the reservation and the bind, by something that is no test of
    /// ours: then it gets others.
    async fn is_ready(&mut self, http: &reqwest::Client, folder: &Path) {
        for _ in 0..5 {
            let ready = self.internal_url("/readyz");
            if let Ok(ready_after) = answers(&self.process, http, &ready).await {
                self.ready_after = ready_after;
                return;
            }
            let said = std::fs::read_to_string(&self.log).unwrap_or_default();
            assert!(
                said.contains("in use"),
                "{} ended; it said:\n{said}",
                self.role
            );
            *self = Self::spawn(
                self.role,
                &self.env,
                &self.wrapper,
                folder,
                self.log.clone(),
            );
        }
        panic!("no port stayed free five times");
    }

    fn respawn(&mut self, folder: &Path) {
        self.process = lingxi(&[self.role], &self.env, &self.wrapper, folder, &self.log);
    }

    fn is_gateway(&self) -> bool {
        matches!(self.role, "all" | "gateway")
    }

    fn internal_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.internal.number)
    }
}

/// The environment of a node: the tests' defaults, then what is given, then its addresses.
fn with_defaults(
    given: &[(String, String)],
    (public, internal, grpc): (&Port, &Port, &Port),
    folder: &Path,
) -> Vec<(String, String)> {
    let address = |port: &Port| format!("127.0.0.1:{}", port.number);
    let defaults = [
        (
            "LINGXI__DATA_DIR",
            folder.join("data").display().to_string(),
        ),
        ("LINGXI__BCRYPT_COST", "4".to_owned()),
        ("LINGXI__RATE_LIMITS", "off".to_owned()),
        ("LINGXI__AI__DETECT_OLLAMA", "false".to_owned()),
        ("LINGXI__LOG", "warn".to_owned()),
    ];
    let addresses = [
        ("LINGXI__LISTEN", address(public)),
        ("LINGXI__INTERNAL_LISTEN", address(internal)),
        ("LINGXI__GRPC_LISTEN", address(grpc)),
    ];
    let owned = |(key, value): (&str, String)| (key.to_owned(), value);
    let mut env: Vec<_> = defaults.into_iter().map(owned).collect();
    // Which planted fault a sabotaged build is to have.
    env.extend(std::env::var("LINGXI_SABOTAGE").map(|fault| ("LINGXI_SABOTAGE".to_owned(), fault)));
    env.extend(given.iter().cloned());
    env.extend(addresses.into_iter().map(owned));
    env
}

/// A running system. Dropping it ends its processes; a failing test prints what they logged.
#[derive(Debug)]
pub(crate) struct Deployment {
    /// The gateways come first. Declared before what they use, so that they end before it.
    nodes: Vec<Node>,
    pub(crate) backends: Option<Backends>,
    /// Each process's ways to the servers, when it is proxied.
    pub(crate) links: Vec<Links>,
    /// The ways of clients to each gateway, when it is proxied.
    pub(crate) edges: Vec<Proxy>,
    pub(crate) http: reqwest::Client,
    next_node: AtomicUsize,
    /// What is stored is on it, when it is small.
    pub(crate) disk: Option<SmallDisk>,
    failing: Option<FailingDisk>,
    folder: TempDir,
}

impl Deployment {
    fn gateway(&self, number: usize) -> &Node {
        let gateways = self.nodes.iter().filter(|node| node.is_gateway()).count();
        &self.nodes[number % gateways]
    }

    /// `http://host:port` of a gateway; numbers past the last one begin again at the first.
    pub(crate) fn base_url(&self, gateway: usize) -> String {
        format!("http://127.0.0.1:{}", self.gateway(gateway).public.number)
    }

    /// `http://host:port` of any process with a public port.
    pub(crate) fn public_url(&self, node: usize) -> String {
        format!("http://127.0.0.1:{}", self.nodes[node].public.number)
    }

    /// The internal port's URL of a process, with `path`.
    pub(crate) fn internal_url(&self, node: usize, path: &str) -> String {
        self.nodes[node % self.nodes.len()].internal_url(path)
    }

    /// A new user, logged in. Users are spread over the gateways.
    pub(crate) async fn user(&self, name: &str) -> User {
        let node = self.next_node.fetch_add(1, Ordering::Relaxed);
        self.user_at(node, name).await
    }

    /// A new user, logged in, of this gateway.
    pub(crate) async fn user_at(&self, gateway: usize, name: &str) -> User {
        User::register(self.http.clone(), self.base_url(gateway), name).await
    }

    /// A client without a token.
    pub(crate) fn anonymous(&self) -> super::Rest {
        super::Rest::new(self.http.clone(), self.base_url(0))
    }

    /// How long the slowest process took from its start to its first 200 of `/readyz`.
    pub(crate) fn ready_after(&self) -> Duration {
        self.nodes
            .iter()
            .map(|node| node.ready_after)
            .max()
            .unwrap_or_default()
    }

    /// The roles of the processes, in their order.
    pub(crate) fn roles(&self) -> Vec<&'static str> {
        self.nodes.iter().map(|node| node.role).collect()
    }

    /// A server of the test's own.
    pub(crate) fn server(&self, kind: Kind) -> &Server {
        let servers = self.backends.as_ref().map(|backends| &backends.servers[..]);
        let found = servers
            .unwrap_or_default()
            .iter()
            .find(|server| server.kind == kind);
        found.expect("a server of the test's own")
    }

    /// The same, to be started again.
    pub(crate) fn server_mut(&mut self, kind: Kind) -> &mut Server {
        let servers = self
            .backends
            .as_mut()
            .map(|backends| &mut backends.servers[..]);
        let found = servers
            .unwrap_or_default()
            .iter_mut()
            .find(|server| server.kind == kind);
        found.expect("a server of the test's own")
    }

    /// What everything is stored on, to be made to fail.
    pub(crate) fn failing_disk(&self) -> &FailingDisk {
        self.failing.as_ref().expect("a disk that can fail")
    }

    /// Each process's `/readyz`.
    pub(crate) fn readiness(&self) -> Vec<String> {
        let urls = self.nodes.iter().map(|node| node.internal_url("/readyz"));
        urls.collect()
    }

    /// Where an embedded deployment keeps its database.
    pub(crate) fn sqlite(&self) -> PathBuf {
        self.folder.path().join("data/lingxi.db")
    }

    /// One process.
    pub(crate) fn process(&self, node: usize) -> &Process {
        &self.nodes[node % self.nodes.len()].process
    }

    /// What a process has logged.
    pub(crate) fn log(&self, node: usize) -> String {
        std::fs::read_to_string(&self.nodes[node].log).unwrap_or_default()
    }

    /// SIGKILL to all processes at once, and waits until they are gone.
    pub(crate) async fn kill9(&self) {
        for node in &self.nodes {
            (node.process.killer())();
        }
        self.exit().await;
    }

    /// SIGTERM to all processes, without waiting.
    pub(crate) fn sigterm(&self) {
        for node in &self.nodes {
            node.process.sigterm();
        }
    }

    /// Waits until all processes have ended; answers the gateway's status.
    pub(crate) async fn exit(&self) -> std::process::ExitStatus {
        let mut statuses = Vec::new();
        for node in &self.nodes {
            statuses.push(node.process.exit().await);
        }
        statuses
            .iter()
            .find(|status| !status.success())
            .copied()
            .unwrap_or(statuses[0])
    }

    /// Starts all processes again after their end: same ports, same data.
    pub(crate) async fn restart(&mut self) {
        for node in &mut self.nodes {
            node.process.exit().await;
            node.respawn(self.folder.path());
        }
        for node in 0..self.nodes.len() {
            self.is_ready(node).await;
        }
    }

    /// Starts one ended process again.
    pub(crate) async fn restart_one(&mut self, node: usize) {
        self.respawn(node).await;
        self.is_ready(node).await;
    }

    /// Starts one process more, and waits until it is ready.
    pub(crate) async fn add(&mut self, role: &'static str) {
        let like = &self.nodes[0];
        let log = self
            .folder
            .path()
            .join(format!("{}-{role}.log", self.nodes.len()));
        let (env, folder) = (like.env.clone(), self.folder.path());
        let mut node = Node::spawn(role, &env, &[], folder, log);
        node.is_ready(&self.http, folder).await;
        self.nodes.push(node);
    }

    /// Starts one ended process again, without waiting for it.
    pub(crate) async fn respawn(&mut self, node: usize) {
        self.nodes[node].process.exit().await;
        self.nodes[node].respawn(self.folder.path());
    }

    /// Waits until a process that was started again is ready.
    pub(crate) async fn is_ready(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        let ready = node.internal_url("/readyz");
        node.ready_after = answers(&node.process, &self.http, &ready)
            .await
            .unwrap_or_else(|status| panic!("{} ended at its restart: {status}", node.role));
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
