//! A server started for a comparison: its process, killed with this value, and its data, deleted with it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    time::{Instant, sleep},
};

/// A running server.
pub(super) struct Server {
    pub(super) name: &'static str,
    pub(super) url: String,
    child: Child,
    _data: TempDir,
}

impl Server {
    /// Starts `command` and waits until it answers HTTP at `url`.
    pub(super) async fn start(
        name: &'static str,
        url: String,
        mut command: Command,
        data: TempDir,
    ) -> anyhow::Result<Self> {
        let child = command
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let mut server = Self {
            name,
            url,
            child,
            _data: data,
        };
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(2))
            .build()?;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if http
                .get(format!("{}/api/v1/user/me", server.url))
                .send()
                .await
                .is_ok()
            {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("{name} ended at its start: {status}");
            }
            if Instant::now() > deadline {
                bail!("{name} does not answer at {}", server.url);
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}

/// A loopback port that was free a moment ago.
pub(super) async fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}
