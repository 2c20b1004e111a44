//! Lingxi in one process, started for a comparison.

use std::path::Path;

use anyhow::ensure;
use tokio::process::Command;

use super::server::{Server, free_port};

/// Starts the binary on free ports with an empty data folder.
pub(super) async fn start(binary: &Path) -> anyhow::Result<Server> {
    ensure!(
        binary.is_file(),
        "{} is not there: cargo build --release, or --lingxi PATH, or --peer-only",
        binary.display()
    );
    // It runs in a folder of its own, from where a relative path leads nowhere.
    let binary = binary.canonicalize()?;
    let data = super::fastapi_hub::data_folder()?;
    let port = free_port().await?;
    let mut command = Command::new(binary);
    command
        .env("LINGXI__DATA_DIR", data.path().join("lingxi-data"))
        .env("LINGXI__LISTEN", format!("127.0.0.1:{port}"))
        .env(
            "LINGXI__INTERNAL_LISTEN",
            format!("127.0.0.1:{}", free_port().await?),
        )
        .env(
            "LINGXI__GRPC_LISTEN",
            format!("127.0.0.1:{}", free_port().await?),
        )
        .env("LINGXI__BCRYPT_COST", "4")
        .env("LINGXI__RATE_LIMITS", "off")
        .env("LINGXI__LOG", "warn")
        .current_dir(data.path())
        .stdout(std::process::Stdio::null());
    Server::start("lingxi", format!("http://127.0.0.1:{port}"), command, data).await
}
