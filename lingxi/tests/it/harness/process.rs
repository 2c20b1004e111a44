//! One server process: started, asked whether it is ready, killed, and read from when a test fails.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::until::until_some;

/// The binary under test: `LINGXI_TEST_BINARY` (a sabotaged build, say), or the one cargo built.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("LINGXI_TEST_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_lingxi")),
        PathBuf::from,
    )
}

/// A command that begins with `wrapper`, if there is one.
pub(crate) fn wrapped(wrapper: &[String], program: &Path) -> Command {
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
pub(crate) struct Process {
    child: Arc<Mutex<Child>>,
    /// The process id, of the server itself even under a wrapper that detaches.
    pub(crate) pid: u32,
    /// When it was started, just before the spawn.
    pub(crate) started: Instant,
}

impl Process {
    /// Starts a process of the binary under test: `arguments`, exactly this environment, its output appended to `log`. A
    /// `wrapper` (strace, say) is put before it and must leave the server as the process's own image.
    pub(crate) fn lingxi(
        arguments: &[&str],
        env: &[(String, String)],
        wrapper: &[String],
        folder: &Path,
        log: &Path,
    ) -> Self {
        let mut command = wrapped(wrapper, &binary());
        command
            .args(arguments)
            .env_clear()
            .envs(env.iter().map(|(key, value)| (key, value)))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .env("RUST_BACKTRACE", "1")
            .current_dir(folder);
        Self::spawn(command, log)
    }

    /// Starts a command, its output appended to `log`.
    pub(crate) fn spawn(mut command: Command, log: &Path) -> Self {
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
    pub(crate) fn killer(&self) -> impl Fn() + Send + Sync + 'static {
        let child = Arc::clone(&self.child);
        move || {
            let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
        }
    }

    /// SIGKILL, and waits until the process is gone.
    pub(crate) async fn kill9(&self) {
        (self.killer())();
        self.exit().await;
    }

    /// SIGTERM, without waiting.
    pub(crate) fn sigterm(&self) {
        self.signal("TERM");
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.pid.to_string()])
            .status();
        assert!(
            sent.is_ok_and(|status| status.success()),
            "kill -{name} {}",
            self.pid
        );
    }

    /// Its exit status, if it has ended.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_wait()
            .expect("a child of ours")
    }

    /// Waits until it has ended.
    pub(crate) async fn exit(&self) -> ExitStatus {
        until_some("the server process ends", async || self.ended()).await
    }

    /// Polls `url` until it answers 200 (`Ok`: how long after the start), or the process ends (`Err`).
    pub(crate) async fn answers(
        &self,
        http: &reqwest::Client,
        url: &str,
    ) -> Result<Duration, ExitStatus> {
        loop {
            let asked = http.get(url).timeout(Duration::from_secs(2)).send().await;
            if asked.is_ok_and(|answer| answer.status() == 200) {
                return Ok(self.started.elapsed());
            }
            if let Some(status) = self.ended() {
                return Err(status);
            }
            assert!(
                self.started.elapsed() < Duration::from_secs(30),
                "{url} does not answer 200 within 30 s of the start"
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}
