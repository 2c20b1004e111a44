//! A NATS server of a test's own.

use std::time::Duration;

use lingxi_bus::SharedBus;
use lingxi_bus::nats::{NatsBus, Options};
use lingxi_testing::{Kind, Process};
use tempfile::TempDir;
use tokio::sync::watch;

/// A server in a folder of its own; it ends with this.
pub(crate) struct Server {
    server: lingxi_testing::Server,
    _folder: TempDir,
}

impl Server {
    /// Starts an empty one with JetStream.
    pub(crate) fn start() -> Self {
        Self::start_with("jetstream { max_file_store: 4GB }")
    }

    /// With this configuration.
    pub(crate) fn start_with(configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server =
            lingxi_testing::Server::start_with(Kind::Nats, folder.path(), configuration, &[]);
        Self {
            server,
            _folder: folder,
        }
    }

    pub(crate) fn address(&self) -> String {
        self.server.address()
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

    pub(crate) fn process(&self) -> &Process {
        &self.server.process
    }

    /// Starts it again after its end, with what it had stored.
    pub(crate) fn start_again(&mut self) {
        self.server.restart();
    }

    /// Starts it again after its end, with nothing.
    pub(crate) fn start_again_empty(&mut self) {
        self.server.empty();
        self.server.restart();
    }
}

/// Waits until losses rise.
pub(crate) async fn lost(losses: &mut watch::Receiver<u64>) {
    tokio::time::timeout(Duration::from_secs(30), losses.changed())
        .await
        .expect("losses rise")
        .unwrap();
}
