//! A folder of the local disk, or one that processes share.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use crate::error::{Error, Result};
use crate::key::{Key, Part};
use crate::room::Room;
use crate::spool::{PREFIX, Spool};

/// A folder of files, each in one of 256 folders by the beginning of its key.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    store: LocalFileSystem,
    incoming: Incoming,
}

/// Where files are on their way in: a local folder.
#[derive(Debug)]
pub(crate) struct Incoming {
    folder: PathBuf,
    keep_free: u64,
    room: Room,
}

impl Folder {
    pub(crate) fn open(root: PathBuf, keep_free: u64) -> Result<Self> {
        // Of the same file system: a file is kept by renaming it.
        let incoming = Incoming::open(root.join("incoming"), keep_free)?;
        let store = LocalFileSystem::new_with_prefix(&root)
            .map_err(|error| Error::Setup(format!("{}: {error}", root.display())))?;
        Ok(Self {
            root,
            store,
            incoming,
        })
    }

    pub(crate) fn describe(&self) -> String {
        format!("the folder {}", self.root.display())
    }

    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &self.store
    }

    pub(crate) fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    /// Renamed into its place, and on the disk there. The store's own way would make it readable by others.
    pub(crate) async fn keep(&self, key: &Key, part: Part, spool: Spool) -> Result<()> {
        let (folder, name) = key.place(part);
        let folder = self.root.join(folder);
        let path = spool.synced().await?;
        let kept = move || -> Result<()> {
            private_folder(&folder)?;
            path.persist_noclobber(folder.join(name))
                .map_err(|refused| refused.error)?;
            File::open(&folder)?.sync_all()?;
            Ok(())
        };
        tokio::task::spawn_blocking(kept).await?
    }
}

impl Incoming {
    pub(crate) fn open(folder: PathBuf, keep_free: u64) -> Result<Self> {
        private_folder(&folder).map_err(|error| {
            let folder = folder.display();
            Error::Setup(format!(
                "{folder}: {error}; it must be a folder that this user may write"
            ))
        })?;
        Ok(Self {
            folder,
            keep_free,
            room: Room::default(),
        })
    }

    pub(crate) async fn spool(&self, bytes: u64) -> Result<Spool> {
        let folder = self.folder.clone();
        let (promise, promised) = self.room.promise(bytes);
        let wanted = self.keep_free.saturating_add(promised);
        let free = move || -> Result<bool> {
            let disk = rustix::fs::statvfs(&folder).map_err(std::io::Error::from)?;
            Ok(disk.f_bavail.saturating_mul(disk.f_frsize) >= wanted)
        };
        if !tokio::task::spawn_blocking(free).await?? {
            return Err(Error::Full);
        }
        Spool::new(self.folder.clone(), promise).await
    }

    pub(crate) async fn sweep(&self, age: Duration) -> Result<u64> {
        let folder = self.folder.clone();
        let swept = move || -> Result<u64> {
            let mut removed = 0;
            for file in fs::read_dir(&folder)? {
                let file = file?;
                let ours = file.file_name().to_string_lossy().starts_with(PREFIX);
                // One that went meanwhile was kept, or let go.
                let Ok(written) = file.metadata().and_then(|known| known.modified()) else {
                    continue;
                };
                let old = SystemTime::now().duration_since(written);
                if ours && old.is_ok_and(|old| old > age) && fs::remove_file(file.path()).is_ok() {
                    removed += 1;
                }
            }
            Ok(removed)
        };
        tokio::task::spawn_blocking(swept).await?
    }
}

/// Makes it, and those above it that are missing, for this user alone.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
