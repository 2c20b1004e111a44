//! A file on its way in: on the local disk, readable by this user alone, and gone when this is dropped.

use std::path::{Path, PathBuf};

use tempfile::TempPath;
use tokio::fs::File;
use tokio::io::{AsyncWriteExt as _, BufWriter};

use crate::error::Result;
use crate::room::Promise;

/// How names of files on their way in begin.
pub(crate) const PREFIX: &str = "in-";
/// Bytes that are gathered before the disk is asked.
const GATHERED: usize = 64 * 1024;

/// A file on its way in. Dropped before it is kept, it leaves nothing.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    path: TempPath,
    bytes: u64,
    promise: Promise,
}

impl Spool {
    /// An empty one in that folder, for which there is room.
    pub(crate) async fn new(folder: PathBuf, promise: Promise) -> Result<Self> {
        let made = move || tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder);
        let (file, path) = tokio::task::spawn_blocking(made).await??.into_parts();
        Ok(Self {
            file: BufWriter::with_capacity(GATHERED, File::from_std(file)),
            path,
            bytes: 0,
            promise,
        })
    }

    /// Adds to it.
    ///
    /// # Errors
    /// [`crate::Error::Full`] where the disk takes no more.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).await?;
        self.bytes += bytes.len() as u64;
        self.promise.took(bytes.len() as u64);
        Ok(())
    }

    /// Bytes that were written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Everything that was written can be read.
    ///
    /// # Errors
    /// As [`Spool::write`].
    pub async fn flush(&mut self) -> Result<()> {
        Ok(self.file.flush().await?)
    }

    /// Where it is until it is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// On the disk to its last byte, closed.
    pub(crate) async fn synced(mut self) -> Result<TempPath> {
        self.file.flush().await?;
        self.file.get_ref().sync_all().await?;
        Ok(self.path)
    }
}
