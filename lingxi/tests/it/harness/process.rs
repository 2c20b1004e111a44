//! Processes of the binary under test.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use lingxi_testing::{Process, wrapped};

/// The binary under test: `LINGXI_TEST_BINARY` (a sabotaged build, say), or the one cargo built.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("LINGXI_TEST_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_lingxi")),
        PathBuf::from,
    )
}

/// Starts a process of the binary under test: `arguments`, exactly this environment, its output appended to `log`. A
/// `wrapper` (strace, say) is put before it and must leave the server as the process's own image.
pub(crate) fn lingxi(
    arguments: &[&str],
    env: &[(String, String)],
    wrapper: &[String],
    folder: &Path,
    log: &Path,
) -> Process {
    let mut command = wrapped(wrapper, &binary());
    command
        .args(arguments)
        .env_clear()
        .envs(env.iter().map(|(key, value)| (key, value)))
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("RUST_BACKTRACE", "1")
        .current_dir(folder);
    Process::spawn(command, log)
}

/// Polls `url` until it answers 200 (`Ok`: how long after the process's start), or the process ends (`Err`).
pub(crate) async fn answers(
    process: &Process,
    http: &reqwest::Client,
    url: &str,
) -> Result<Duration, ExitStatus> {
    loop {
        let asked = http.get(url).timeout(Duration::from_secs(2)).send().await;
        if asked.is_ok_and(|answer| answer.status() == 200) {
            return Ok(process.started.elapsed());
        }
        if let Some(status) = process.ended() {
            return Err(status);
        }
        assert!(
            process.started.elapsed() < Duration::from_secs(30),
            "{url} does not answer 200 within 30 s of the start"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
