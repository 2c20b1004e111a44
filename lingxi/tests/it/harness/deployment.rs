//! A running system of one or more processes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lingxi_testing::{Kind, Process, Server, SmallDisk};
use tempfile::TempDir;

use super::backends::Backends;
use super::failing_disk::FailingDisk;
use super::links::Links;
use super::mode::Mode;
use super::node::Node;
use super::process::answers;
use super::proxy::Proxy;
use super::user::User;

/// A running system. Dropping it ends its processes; a failing test prints what they logged.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(super) mode: Mode,
    /// The gateways come first. Declared before what they use, so that they end before it.
    pub(super) nodes: Vec<Node>,
    pub(crate) backends: Option<Backends>,
    /// Each process's ways to the servers, when it is proxied.
    pub(crate) links: Vec<Links>,
    /// The ways of clients to each gateway, when it is proxied.
    pub(crate) edges: Vec<Proxy>,
    pub(crate) http: reqwest::Client,
    pub(super) next_node: AtomicUsize,
    /// What is stored is on it, when it is small.
    pub(crate) disk: Option<SmallDisk>,
    pub(super) failing: Option<FailingDisk>,
    pub(super) folder: TempDir,
}

impl Deployment {
    /// In which shape it runs.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

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

    /// Alice, bob and carol.
    pub(crate) async fn three(&self) -> (User, User, User) {
        (
            self.user("alice").await,
            self.user("bob").await,
            self.user("carol").await,
        )
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

    /// Where it keeps files.
    pub(crate) fn files(&self) -> PathBuf {
        match self.mode {
            Mode::Embedded => self.folder.path().join("data/files"),
            Mode::Cluster => self.folder.path().join("files"),
        }
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

    /// Sets an environment variable of every process that is started from now on.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        for node in &mut self.nodes {
            node.env.retain(|(known, _)| known != key);
            node.env.push((key.to_owned(), value.to_owned()));
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
