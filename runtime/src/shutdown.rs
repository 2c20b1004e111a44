//! Stopping: one signal that everyone hears, and tasks that are waited for.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::AbortHandle;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

/// The stop signal of one running system and the tasks that belong to it. Clones are the same one; two systems in one
/// process (two nodes in a test) have one each.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
    tracker: TaskTracker,
    running: Arc<Mutex<Running>>,
    failed: Arc<OnceLock<&'static str>>,
    /// Ends the short tasks of [`Tasks`] at their next await.
    aborted: CancellationToken,
}

/// Many short tasks of one kind, a connection's or a request's, that belong to a system; made by [`Shutdown::tasks`].
/// Cheaper than [`Shutdown::spawn`], which lists each by name.
#[derive(Clone, Debug)]
pub struct Tasks {
    shutdown: Shutdown,
    name: &'static str,
}

impl Tasks {
    /// Runs `task` as [`Shutdown::spawn`] does: it is waited for, and a panic in it tells the system to stop.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let guard = Guard {
            shutdown: self.shutdown.clone(),
            name: self.name,
        };
        let task = self
            .shutdown
            .aborted
            .clone()
            .run_until_cancelled_owned(task);
        self.shutdown.tracker.spawn(async move {
            let _guard = guard;
            let _ = task.await;
        });
    }
}

/// Notices a panic of the task that holds it.
struct Guard {
    shutdown: Shutdown,
    name: &'static str,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shutdown.panicked(self.name);
        }
    }
}

#[derive(Debug, Default)]
struct Running {
    next: u64,
    tasks: HashMap<u64, (&'static str, Option<AbortHandle>)>,
}

/// Tasks that were still running at the deadline, and were aborted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("still running at the deadline, aborted: {}", .0.join(", "))]
pub struct StillRunning(pub Vec<&'static str>);

impl Shutdown {
    /// A system that runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The signal, for `select!` and for children that can be stopped by themselves.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Resolves when the system is told to stop; owns what it needs, as `with_graceful_shutdown` wants.
    pub fn cancelled(&self) -> WaitForCancellationFutureOwned {
        self.token.clone().cancelled_owned()
    }

    /// Whether the system was told to stop.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Runs `task` until it ends by itself; [`Shutdown::wait_all`] waits for it. It is not cancelled by the signal:
    /// it listens to the token and ends in its own time. The system does not go on without one of its tasks: a panic tells
    /// it to stop, see [`Shutdown::failed`].
    pub fn spawn<F>(&self, name: &'static str, task: F) -> AbortHandle
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let id = {
            let mut running = self.running();
            running.next += 1;
            let id = running.next;
            running.tasks.insert(id, (name, None));
            id
        };
        let entry = Entry {
            shutdown: self.clone(),
            id,
            name,
        };
        let handle = self.tracker.spawn(async move {
            let _entry = entry;
            task.await;
        });
        let abort = handle.abort_handle();
        if let Some(slot) = self.running().tasks.get_mut(&id) {
            slot.1 = Some(abort.clone());
        }
        abort
    }

    /// For many short tasks that `name` says enough of.
    #[must_use]
    pub fn tasks(&self, name: &'static str) -> Tasks {
        Tasks {
            shutdown: self.clone(),
            name,
        }
    }

    fn panicked(&self, name: &'static str) {
        tracing::error!(task = name, "task panicked; the system stops");
        let _ = self.failed.set(name);
        self.trigger();
    }

    /// The task that panicked first, if one has.
    #[must_use]
    pub fn failed(&self) -> Option<&'static str> {
        self.failed.get().copied()
    }

    /// Tells the system to stop. Again does nothing.
    pub fn trigger(&self) {
        self.token.cancel();
    }

    /// Waits until every spawned task has ended. Tasks that are left at the deadline are aborted and named.
    ///
    /// # Errors
    /// [`StillRunning`] with the names of what was aborted.
    pub async fn wait_all(&self, deadline: Duration) -> Result<(), StillRunning> {
        self.tracker.close();
        if tokio::time::timeout(deadline, self.tracker.wait())
            .await
            .is_ok()
        {
            return Ok(());
        }
        let left = self.abort_all();
        Err(StillRunning(left))
    }

    /// Resolves when every spawned task has ended after [`Shutdown::wait_all`] began, or after
    /// [`Shutdown::abort_all`].
    pub async fn drained(&self) {
        self.tracker.wait().await;
    }

    /// Aborts every spawned task at its next await, and names them: how a test kills one node of several in its
    /// process.
    pub fn abort_all(&self) -> Vec<&'static str> {
        self.tracker.close();
        self.aborted.cancel();
        let running = self.running();
        let mut names: Vec<_> = running.tasks.values().map(|(name, _)| *name).collect();
        running
            .tasks
            .values()
            .filter_map(|(_, abort)| abort.as_ref())
            .for_each(AbortHandle::abort);
        names.sort_unstable();
        names
    }

    /// Triggers on the first SIGTERM or SIGINT. A second one ends the process at once with status 130.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn on_signals(&self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = self.clone();
        #[expect(
            clippy::disallowed_methods,
            reason = "it lives as long as the process, which it ends"
        )]
        tokio::spawn(async move {
            for first in [true, false] {
                let name = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                if first {
                    tracing::info!(
                        signal = name,
                        "stopping; a second signal ends the process at once"
                    );
                    shutdown.trigger();
                } else {
                    tracing::warn!(signal = name, "second signal: ending at once");
                }
            }
            std::process::exit(130);
        });
        Ok(())
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task's place in the list; leaves it however the task ends.
struct Entry {
    shutdown: Shutdown,
    id: u64,
    name: &'static str,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shutdown.running().tasks.remove(&self.id);
        if std::thread::panicking() {
            self.shutdown.panicked(self.name);
        }
    }
}

#[cfg(test)]
mod tests;
