//! How a gateway is lost.

use std::process::Stdio;

use anyhow::ensure;
use tokio::process::Command;

/// Kills a process at once (SIGKILL), by its id.
///
/// # Errors
/// When there is no such process, or it is another user's.
pub(super) async fn kill(pid: u32) -> anyhow::Result<()> {
    // A command, since a system call would need unsafe code.
    let status = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .stdin(Stdio::null())
        .status()
        .await?;
    ensure!(status.success(), "cannot kill process {pid}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::kill;
    use std::os::unix::process::ExitStatusExt as _;

    #[tokio::test]
    async fn the_process_is_killed_and_a_missing_one_is_told() {
        let mut child = tokio::process::Command::new("sleep")
            .arg("600")
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let pid = child.id().unwrap();
        kill(pid).await.unwrap();
        assert_eq!(child.wait().await.unwrap().signal(), Some(9));
        assert!(kill(pid).await.is_err());
    }
}
