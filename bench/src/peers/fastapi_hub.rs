//! The original design, `peers/fastapi_hub`, in a virtual environment of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use tokio::process::Command;

use super::server::{Server, free_port};
use crate::output::note;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/fastapi_hub")
}

fn built() -> PathBuf {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
    bench.parent().unwrap_or(bench).join("target/peers")
}

/// An empty folder on the disk of the build, for both servers alike: a temporary folder may be memory, where fsync is free.
pub(super) fn data_folder() -> anyhow::Result<TempDir> {
    fs::create_dir_all(built())?;
    Ok(tempfile::Builder::new()
        .prefix("data-")
        .tempdir_in(built())?)
}

/// Starts it as its production deployment would: one uvicorn worker (the hub is in its memory), uvloop, httptools.
pub(super) async fn start() -> anyhow::Result<Server> {
    let python = environment().await?;
    let data = data_folder()?;
    let port = free_port().await?;
    let mut command = Command::new(python);
    command
        .args([
            "-m",
            "uvicorn",
            "app:app",
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
        ])
        .args([
            "--loop",
            "uvloop",
            "--http",
            "httptools",
            "--ws",
            "websockets-sansio",
        ])
        .args(["--log-level", "warning", "--no-access-log"])
        .env("HUB_DATABASE", data.path().join("hub.db"))
        .env("HUB_BCRYPT_COST", "4")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(source());
    Server::start(
        "fastapi_hub",
        format!("http://127.0.0.1:{port}"),
        command,
        data,
    )
    .await
}

/// The environment's interpreter; made anew when the requirements have changed.
async fn environment() -> anyhow::Result<PathBuf> {
    let folder = built().join("fastapi_hub");
    let python = folder.join("bin/python");
    let wanted = fs::read_to_string(source().join("requirements.txt"))?;
    let mark = folder.join("requirements.installed");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    note(&format!("making {}", folder.display()));
    succeed(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )
    .await?;
    let requirements = source().join("requirements.txt");
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ];
    succeed(Command::new(&python).args(install).arg(requirements)).await?;
    fs::write(mark, wanted)?;
    Ok(python)
}

async fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    let status =
        status.with_context(|| format!("cannot run {:?}", command.as_std().get_program()))?;
    ensure!(status.success(), "{:?} failed: {status}", command.as_std());
    Ok(())
}
