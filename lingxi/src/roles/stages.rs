//! In which order a process stops.

use std::future::Future;
use std::time::Duration;

use anyhow::Context as _;
use lingxi_runtime::shutdown::Shutdown;

/// How long the edge may take to send its clients away.
const EDGE: Duration = Duration::from_secs(14);
/// How long the workers may take to finish once the edge has drained.
const WORKERS: Duration = Duration::from_secs(10);
/// How long what they all worked with may take to end.
const BASE: Duration = Duration::from_secs(2);

/// The stop signals and tasks of a process by who goes first. Together they drain within the thirty seconds that
/// orchestrators give. A task that fails in any of them stops all, in the same order.
pub(super) struct Stages {
    /// Told by SIGTERM and SIGINT.
    pub(super) process: Shutdown,
    /// The internal port, which answers until the process ends.
    pub(super) probes: Shutdown,
    /// What clients are connected to.
    pub(super) edge: Shutdown,
    /// What finishes the work that came in.
    pub(super) workers: Shutdown,
    /// What those work with: the connections to servers.
    pub(super) base: Shutdown,
}

impl Stages {
    /// Listens for signals from now on.
    pub(super) fn begin() -> anyhow::Result<Self> {
        let process = Shutdown::new();
        process.on_signals().context("cannot listen for signals")?;
        Ok(Self {
            process,
            probes: Shutdown::new(),
            edge: Shutdown::new(),
            workers: Shutdown::new(),
            base: Shutdown::new(),
        })
    }

    /// Resolves when the process was told to stop, or one of its tasks has failed. It is not ready from then on.
    pub(super) async fn stopped(&self) {
        tokio::select! {
            () = self.process.cancelled() => {}
            () = self.probes.cancelled() => {}
            () = self.edge.cancelled() => {}
            () = self.workers.cancelled() => {}
            () = self.base.cancelled() => {}
        }
        self.process.trigger();
    }

    pub(super) fn drain_edge(&self) -> impl Future<Output = ()> {
        drain(&self.edge, EDGE)
    }

    pub(super) fn drain_workers(&self) -> impl Future<Output = ()> {
        drain(&self.workers, WORKERS)
    }

    pub(super) fn drain_base(&self) -> impl Future<Output = ()> {
        drain(&self.base, BASE)
    }

    /// The task that failed, if one has.
    pub(super) fn failed(&self) -> Option<&'static str> {
        [&self.probes, &self.edge, &self.workers, &self.base]
            .into_iter()
            .find_map(Shutdown::failed)
    }
}

async fn drain(stage: &Shutdown, within: Duration) {
    stage.trigger();
    if let Err(left) = stage.wait_all(within).await {
        tracing::error!(%left, "some tasks did not end");
    }
}
