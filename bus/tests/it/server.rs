//! NATS servers of a test's own: real ones, on loopback ports that stay theirs over a restart.

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lingxi_bus::SharedBus;
use lingxi_bus::nats::{NatsBus, Options};
use tempfile::TempDir;
use tokio::sync::watch;

/// Below the kernel's range for outgoing connections, so that no client socket takes one between two starts.
const RANGE: std::ops::Range<u16> = 10_240..31_998;

/// A server in a folder of its own; it ends with this.
pub(crate) struct Server {
    port: u16,
    _lock: File,
    folder: TempDir,
    process: Child,
}

impl Server {
    /// Starts an empty one with JetStream.
    pub(crate) fn start() -> Self {
        Self::start_with("jetstream { max_file_store: 4GB }")
    }

    /// With this configuration; `STORE` in it is its folder.
    pub(crate) fn start_with(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, lock) = reserve();
        let store = folder.path().join("store");
        let text = configuration.replace(
            "jetstream {",
            &format!("jetstream {{ store_dir: {store:?},"),
        );
        std::fs::write(folder.path().join("conf"), text).unwrap();
        let mut server = Self {
            process: spawn(port, &folder),
            port,
            _lock: lock,
            folder,
        };
        server.await_answer();
        server
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            url: format!("nats://{}", self.address()),
            max_log_bytes: 64 << 20,
            ..Options::default()
        }
    }

    pub(crate) async fn bus(&self) -> SharedBus {
        NatsBus::connect(self.options()).await.unwrap()
    }

    pub(crate) async fn client(&self) -> async_nats::Client {
        async_nats::connect(self.address()).await.unwrap()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again after its end, with what it had stored.
    pub(crate) fn start_again(&mut self) {
        self.process = spawn(self.port, &self.folder);
        self.await_answer();
    }

    /// Starts it again after its end, with nothing.
    pub(crate) fn start_again_empty(&mut self) {
        std::fs::remove_dir_all(self.folder.path().join("store")).unwrap();
        self.start_again();
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
                "nats-server does not answer; it said:\n{}",
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

/// `LINGXI_TEST_NATS_SERVER`, where ./test puts it, or the search path.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("LINGXI_TEST_NATS_SERVER") {
        return path.into();
    }
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match home.map(|home| home.join(".cache/lingxi-nats/bin/nats-server")) {
        Some(path) if path.exists() => path,
        _ => "nats-server".into(),
    }
}

fn spawn(port: u16, folder: &TempDir) -> Child {
    Command::new(program())
        .arg("-c")
        .arg(folder.path().join("conf"))
        .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-l"])
        .arg(folder.path().join("log"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server; ./test installs it, or set LINGXI_TEST_NATS_SERVER")
}

/// A port that no other test has.
pub(crate) fn reserve() -> (u16, File) {
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
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return (port, lock);
        }
    }
    panic!("no free loopback port in {RANGE:?}");
}

/// Waits until losses rise.
pub(crate) async fn lost(losses: &mut watch::Receiver<u64>) {
    tokio::time::timeout(Duration::from_secs(30), losses.changed())
        .await
        .expect("losses rise")
        .unwrap();
}
