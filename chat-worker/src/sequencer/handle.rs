//! What the sequencer is told by the keeper of the leases.

use std::sync::Arc;

use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::Lease;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use super::command::Command;
use super::worker::Worker;
use crate::Deps;
use crate::cursors::CursorSink;
use crate::push::Pusher;

/// Commands that may wait.
const COMMANDS: usize = 256;

/// The sequencer of one worker.
pub(crate) struct Sequencer {
    owner: Arc<str>,
    commands: mpsc::Sender<Command>,
}

impl Sequencer {
    /// One that has no partitions yet; `sole` says that no other worker can be using the database. Its task ends when it
    /// is told to finish, or when the handle is gone.
    pub(crate) fn start(
        deps: &Deps,
        sole: bool,
        pusher: Pusher,
        cursors: Arc<CursorSink>,
        shutdown: &Shutdown,
    ) -> Self {
        let (commands, received) = mpsc::channel(COMMANDS);
        let owner: Arc<str> = Uuid::new_v4().simple().to_string().into();
        let worker = Worker::new(deps.clone(), owner.clone(), sole, pusher, cursors);
        shutdown.spawn("chat sequencer", worker.work(received));
        Self { owner, commands }
    }

    /// Under which name its leases are held.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Reads and commits this partition from now on.
    pub(crate) async fn assign(&self, lease: Lease) {
        self.tell(Command::Assign(lease)).await;
    }

    /// The partition is no longer held in this epoch.
    pub(crate) async fn revoke(&self, partition: u16, epoch: i64) {
        self.tell(Command::Revoke(partition, epoch)).await;
    }

    /// Returns when nothing more is committed for these partitions, and how far they are is recorded.
    pub(crate) async fn hand_back(&self, partitions: Vec<u16>) {
        let (done, finished) = oneshot::channel();
        self.tell(Command::HandBack(partitions, done)).await;
        let _ = finished.await;
    }

    /// Returns when what was read is committed, pushed and recorded. Nothing is done after it.
    pub(crate) async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        self.tell(Command::Finish(done)).await;
        let _ = finished.await;
    }

    async fn tell(&self, command: Command) {
        // Fails only when the task has ended: then whoever waits for an answer is told by its sender being gone.
        let _ = self.commands.send(command).await;
    }
}
