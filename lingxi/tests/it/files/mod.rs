//! Attachments.

mod bucket;
mod reading;
mod sending;
mod sweeping;
mod uploads;

use std::path::{Path, PathBuf};

use crate::harness::{Deployment, until};

/// The files below a folder, of all its folders.
fn below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .flat_map(|path| match path.is_dir() {
            true => below(&path),
            false => vec![path],
        })
        .collect()
}

/// Waits until so many files are kept, and nothing is on its way in.
async fn until_kept(lx: &Deployment, count: usize) {
    until("no other files are kept", async || {
        below(&lx.files()).len() == count
    })
    .await;
}
