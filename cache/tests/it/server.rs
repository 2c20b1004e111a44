//! Redis servers of a test's own: real ones, on loopback ports that stay theirs over a restart.

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Below the kernel's range for outgoing connections, so that no client socket takes one between two starts. A cluster
/// node also listens on the one above.
const RANGE: std::ops::Range<u16> = 10_240..31_998;

/// Polls until `check` holds; panics after `seconds`.
pub(crate) async fn until(seconds: u64, what: &str, check: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !check().await {
        assert!(
            Instant::now() < deadline,
            "still not so after {seconds} s: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A server in a folder of its own; it ends with this.
pub(crate) struct Server {
    pub(crate) port: u16,
    _lock: File,
    folder: TempDir,
    arguments: Vec<String>,
    process: Child,
}

impl Server {
    /// Starts an empty one that keeps nothing on disk, and waits until it accepts connections.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with_file("", arguments)
    }

    /// With a file of configuration, which a sentinel needs.
    pub(crate) fn start_with_file(text: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, lock) = reserve();
        std::fs::write(folder.path().join("conf"), text).unwrap();
        let arguments: Vec<_> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let mut server = Self {
            process: spawn(port, &folder, &arguments),
            port,
            _lock: lock,
            folder,
            arguments,
        };
        server.await_answer();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again after its end, empty.
    pub(crate) fn restart(&mut self) {
        self.process = spawn(self.port, &self.folder, &self.arguments);
        self.await_answer();
    }

    /// Sends `STOP` or `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }

    fn await_answer(&mut self) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                self.process.try_wait().unwrap().is_none() && start.elapsed().as_secs() < 10,
                "redis-server does not answer; it said:\n{}",
                std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(port: u16, folder: &TempDir, arguments: &[String]) -> Child {
    let log = File::create(folder.path().join("log")).unwrap();
    Command::new("redis-server")
        .arg(folder.path().join("conf"))
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
        .arg(folder.path())
        // Of a cluster's own traffic; by default 10 000 higher, which nobody reserved.
        .args(["--cluster-port", &(port + 1).to_string(), "--save", ""])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log)
        .spawn()
        .expect("redis-server; ./test installs it")
}

fn reserve() -> (u16, File) {
    let folder = std::env::temp_dir().join("lingxi-test-ports");
    std::fs::create_dir_all(&folder).unwrap();
    let span = u64::from(RANGE.end - RANGE.start) / 2;
    let first = RandomState::new().build_hasher().finish() % span;
    for step in 0..span {
        let port = RANGE.start + 2 * u16::try_from((first + step) % span).unwrap();
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join(port.to_string()))
            .unwrap();
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if lock.try_lock().is_ok() && free(port) && free(port + 1) {
            return (port, lock);
        }
    }
    panic!("no free loopback port in {RANGE:?}");
}

/// The shared server that `./test` starts.
pub(crate) fn shared_url() -> String {
    std::env::var("LINGXI_TEST_REDIS_URL").expect(
        "LINGXI_TEST_REDIS_URL is not set: run ./test, which starts a server, or point it at one of your own",
    )
}

/// Never used before.
pub(crate) fn fresh_namespace() -> String {
    format!("test-{:x}", RandomState::new().build_hasher().finish())
}

/// One node of a cluster to be; [`join`] makes it one.
pub(crate) fn cluster_node() -> Server {
    Server::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"])
}

/// Makes one cluster of these.
pub(crate) fn join(servers: &[Server]) {
    let nodes = servers.iter().map(|s| format!("127.0.0.1:{}", s.port));
    let made = Command::new("redis-cli")
        .args(["--cluster", "create"])
        .args(nodes)
        .arg("--cluster-yes")
        .output()
        .expect("redis-cli");
    assert!(made.status.success(), "{made:?}");
}
