//! A Redis server of a test's own.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::process::Command;

use lingxi_testing::{Kind, Process};
use tempfile::TempDir;

/// A server in a folder of its own; it ends with this.
pub(crate) struct Server {
    server: lingxi_testing::Server,
    _folder: TempDir,
}

impl Server {
    /// Starts an empty one that keeps nothing on disk, and waits until it accepts connections.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with_file("", arguments)
    }

    /// With a file of configuration, which a sentinel needs.
    pub(crate) fn start_with_file(text: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server =
            lingxi_testing::Server::start_with(Kind::Redis, folder.path(), text, arguments);
        Self {
            server,
            _folder: folder,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port.number
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.server.address())
    }

    pub(crate) fn process(&self) -> &Process {
        &self.server.process
    }

    /// Starts it again after its end, empty.
    pub(crate) fn restart(&mut self) {
        self.server.restart();
    }
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
    let nodes = servers.iter().map(|s| format!("127.0.0.1:{}", s.port()));
    let made = Command::new("redis-cli")
        .args(["--cluster", "create"])
        .args(nodes)
        .arg("--cluster-yes")
        .output()
        .expect("redis-cli");
    assert!(made.status.success(), "{made:?}");
}
