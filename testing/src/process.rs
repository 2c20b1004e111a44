//! One server process: started, killed, paused, waited for.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::until::{until, until_some};

/// A command that begins with `wrapper`, if there is one.
#[must_use]
pub fn wrapped(wrapper: &[String], program: &Path) -> Command {
    match wrapper.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// A running server process, killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Arc<Mutex<Child>>,
    /// The process id, of the server itself even under a wrapper that detaches.
    pub pid: u32,
    /// When it was started, just before the spawn.
    pub started: Instant,
}

impl Process {
    /// Starts a command, its output appended to `log`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn spawn(mut command: Command, log: &Path) -> Self {
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file");
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a second handle"))
            .stderr(out);
        let started = Instant::now();
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self {
            pid: child.id(),
            child: Arc::new(Mutex::new(child)),
            started,
        }
    }

    /// Sends SIGKILL, at once and without waiting: what durability tests call in the middle of things.
    pub fn killer(&self) -> impl Fn() + Send + Sync + 'static {
        let child = Arc::clone(&self.child);
        move || {
            let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
    }

    /// SIGKILL, and waits until the process is gone.
    pub async fn kill9(&self) {
        (self.killer())();
        self.exit().await;
    }

    /// SIGTERM, without waiting.
    pub fn sigterm(&self) {
        self.signal("TERM");
    }

    /// Sends a signal by its name.
    ///
    /// # Panics
    /// When it has ended.
    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.pid.to_string()])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -{name} {}",
            self.pid
        );
    }

    /// SIGSTOP, and waits until no thread runs any more: each ends what it does in the kernel first, which on a busy machine
    /// may be a while after the signal was sent.
    ///
    /// # Panics
    /// When it has ended.
    pub async fn pause(&self) {
        self.signal("STOP");
        until("every thread has stopped", async || self.stopped()).await;
    }

    /// SIGCONT, without waiting.
    ///
    /// # Panics
    /// When it has ended.
    pub fn wake(&self) {
        self.signal("CONT");
    }

    fn stopped(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.pid));
        threads
            .expect("a process")
            .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("stat")).ok())
            // The name, in brackets, may hold anything; the state is the first word behind it.
            .filter_map(|stat| stat.rsplit_once(')')?.1.trim_start().chars().next())
            .all(|state| matches!(state, 'T' | 'Z'))
    }

    /// Its exit status, if it has ended.
    ///
    /// # Panics
    /// When the system does not know the process.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_wait()
            .expect("a child of ours")
    }

    /// Waits until it has ended.
    pub async fn exit(&self) -> ExitStatus {
        until_some("the server process ends", async || self.ended()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}
