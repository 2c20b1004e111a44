//! Asks a command how much a database has done so far, so that no database driver is needed here.

use std::process::Stdio;

use anyhow::{Context as _, ensure};
use tokio::process::Command;

/// Runs `command` in a shell and takes the last integer that it prints.
///
/// # Errors
/// When it fails, or prints no number.
pub async fn count(command: &str) -> anyhow::Result<u64> {
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "--count-queries: {}",
        output.status
    );
    let text = String::from_utf8_lossy(&output.stdout);
    last_integer(&text)
        .with_context(|| format!("--count-queries printed no number: {}", text.trim()))
}

fn last_integer(text: &str) -> Option<u64> {
    text.split(|letter: char| !letter.is_ascii_digit())
        .rev()
        .find_map(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{count, last_integer};

    #[test]
    fn the_last_number_counts() {
        assert_eq!(last_integer("Queries\t12345\n"), Some(12_345));
        assert_eq!(last_integer("Com_select 3\nCom_insert 4\n"), Some(4));
        assert_eq!(last_integer("none"), None);
    }

    #[tokio::test]
    async fn a_command_is_asked_and_its_failure_is_told() {
        assert_eq!(count("echo Questions 17").await.unwrap(), 17);
        assert!(count("echo 17; exit 3").await.is_err());
        assert!(count("true").await.is_err());
    }
}
