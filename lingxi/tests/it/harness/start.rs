//! How a deployment comes to run: its disks, its servers, its processes, and what stands between them.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use lingxi_testing::SmallDisk;
use tempfile::TempDir;

use super::backends::Backends;
use super::deployment::Deployment;
use super::failing_disk::FailingDisk;
use super::links::Links;
use super::mode::Mode;
use super::node::Node;
use super::options::Options;
use super::proxy::Proxy;

impl Options {
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
        let failing = self
            .failing_disk
            .then(|| FailingDisk::below(folder.path(), self.mode));
        let backends = match self.mode {
            Mode::Embedded => None,
            Mode::Cluster => Some(self.servers(&folder, &disk, &failing).await),
        };
        let files = folder.path().join("files");
        let mut env = self.environment(&backends, &disk, &failing);
        if self.mode == Mode::Cluster {
            let url = format!("file://{}", files.display());
            env.insert(0, ("LINGXI__FILES__URL".to_owned(), url));
        }
        let wrapper = self.before_processes();
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
            mode: self.mode,
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

    /// The servers of a cluster: those that all tests share, or ones of its own.
    async fn servers(
        &self,
        folder: &TempDir,
        disk: &Option<SmallDisk>,
        failing: &Option<FailingDisk>,
    ) -> Backends {
        if !self.own_servers && self.wrapper.is_empty() {
            return Backends::shared().await;
        }
        let mut wrapper = self.wrapper.clone();
        wrapper.extend(failing.iter().flat_map(FailingDisk::wrapper));
        let arguments: &[&str] = match failing {
            // Through the C library, not past it.
            Some(_) => &["--innodb-use-native-aio=0", "--skip-stack-trace"],
            None => &[],
        };
        let database = disk.as_ref().map_or(folder.path(), SmallDisk::path);
        Backends::own(folder.path(), database, &wrapper, arguments).await
    }

    /// What every process is told: where the servers are, then what the test set, then where an embedded database is.
    fn environment(
        &self,
        backends: &Option<Backends>,
        disk: &Option<SmallDisk>,
        failing: &Option<FailingDisk>,
    ) -> Vec<(String, String)> {
        let mut env: Vec<_> = backends.iter().flat_map(Backends::env).collect();
        env.extend(self.env.iter().cloned());
        if let Some(disk) = disk {
            let data = disk.path().join("data").display().to_string();
            env.push(("LINGXI__DATA_DIR".to_owned(), data));
        }
        if self.mode == Mode::Embedded {
            let set = failing.iter().flat_map(FailingDisk::env);
            env.extend(set.map(|(key, value)| (key.to_owned(), value)));
        }
        env
    }

    /// The command before each process. The test's own is before what writes to the disk: in a cluster, the database.
    fn before_processes(&self) -> Vec<String> {
        let mut wrapper = match self.mode {
            Mode::Embedded => self.wrapper.clone(),
            Mode::Cluster => Vec::new(),
        };
        if let Some(most) = self.descriptors {
            let limit = format!("--nofile={most}:{most}");
            wrapper.extend(["prlimit".to_owned(), limit]);
        }
        wrapper
    }
}
