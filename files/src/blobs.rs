//! One interface to whatever keeps the files.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _, TryStreamExt as _, try_unfold};
use lingxi_runtime::shutdown::Tasks;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt as _};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::bucket::{self, Bucket};
use crate::error::{Error, Result};
use crate::folder::Folder;
use crate::key::{Key, Part};
use crate::spool::Spool;

/// Bytes that are read of a file at a time.
const PIECE: usize = 64 * 1024;

/// A piece of a file that is being read.
pub type Piece = Result<Bytes>;
/// A file that is being read, piece by piece.
pub type Pieces = BoxStream<'static, Piece>;

/// Where files are kept. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Blobs {
    place: Option<Arc<Place>>,
}

#[derive(Debug)]
enum Place {
    Folder(Folder),
    Bucket(Bucket),
}

impl Blobs {
    /// None is configured: everything is [`Error::NoStore`].
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A folder, which this makes, for this user alone; `keep_free` bytes of its disk are left for others. Processes that
    /// share it keep the same files.
    ///
    /// # Errors
    /// [`Error::Setup`] where it cannot be made.
    pub fn folder(root: PathBuf, keep_free: u64) -> Result<Self> {
        let folder = Folder::open(root, keep_free)?;
        Ok(Self {
            place: Some(Arc::new(Place::Folder(folder))),
        })
    }

    /// A bucket of an S3-compatible store, which is not asked yet; files on their way in are in `spool`, a local folder and the
    /// bytes of its disk that are left for others; `tasks` takes back what was let go of half way.
    ///
    /// # Errors
    /// [`Error::Setup`] where the options do not fit, or the local folder cannot be made.
    pub fn bucket(options: &bucket::Options, spool: (PathBuf, u64), tasks: Tasks) -> Result<Self> {
        let bucket = Bucket::open(options, spool, tasks)?;
        Ok(Self {
            place: Some(Arc::new(Place::Bucket(bucket))),
        })
    }

    /// Whether files can be kept at all.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.place.is_some()
    }

    /// What it is, for the log.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.place.as_deref() {
            None => "none".to_owned(),
            Some(Place::Folder(folder)) => folder.describe(),
            Some(Place::Bucket(bucket)) => bucket.describe(),
        }
    }

    fn place(&self) -> Result<&Place> {
        self.place.as_deref().ok_or(Error::NoStore)
    }

    fn store(&self) -> Result<(&dyn ObjectStore, &str)> {
        Ok(match self.place()? {
            Place::Folder(folder) => (folder.store(), ""),
            Place::Bucket(bucket) => (bucket.store(), bucket.prefix()),
        })
    }

    /// A file on its way in, of `bytes` bytes as far as that is known.
    ///
    /// # Errors
    /// [`Error::Full`] where the local disk has no room for it.
    pub async fn spool(&self, bytes: u64) -> Result<Spool> {
        let incoming = match self.place()? {
            Place::Folder(folder) => folder.incoming(),
            Place::Bucket(bucket) => bucket.incoming(),
        };
        incoming.spool(bytes).await
    }

    /// Keeps a file: when this returns it is safe. Nothing is to be there under that key yet.
    ///
    /// # Errors
    /// [`Error::Full`]; [`Error::Failed`], and something may be kept: [`Blobs::delete`] it.
    pub async fn keep(&self, key: &Key, part: Part, spool: Spool) -> Result<()> {
        match self.place()? {
            Place::Folder(folder) => folder.keep(key, part, spool).await,
            Place::Bucket(bucket) => bucket.keep(&path(bucket.prefix(), key, part), spool).await,
        }
    }

    /// Reads these bytes of a file, in pieces of 64 KiB or what the store sends at a time.
    ///
    /// # Errors
    /// [`Error::NotThere`], also where the range begins behind the end.
    pub async fn read(&self, key: &Key, part: Part, range: Range<u64>) -> Result<Pieces> {
        let (store, prefix) = self.store()?;
        let wanted = range.end.saturating_sub(range.start);
        if wanted == 0 {
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let found = store.get_opts(&path(prefix, key, part), options).await?;
        let range = found.range.clone();
        Ok(match found.payload {
            GetResultPayload::File(file, _) => pieces(file, range),
            GetResultPayload::Stream(stream) => stream.map_err(Error::from).boxed(),
        })
    }

    /// Removes a file and its thumbnail; what is not there is no error.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn delete(&self, key: &Key) -> Result<()> {
        let (store, prefix) = self.store()?;
        for part in [Part::Thumbnail, Part::Whole] {
            match store.delete(&path(prefix, key, part)).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Removes what processes that were killed have left on its way in for longer than `age`; returns how many.
    ///
    /// # Errors
    /// [`Error::Failed`].
    pub async fn sweep_incoming(&self, age: Duration) -> Result<u64> {
        let incoming = match self.place()? {
            Place::Folder(folder) => folder.incoming(),
            Place::Bucket(bucket) => bucket.incoming(),
        };
        incoming.sweep(age).await
    }
}

fn path(prefix: &str, key: &Key, part: Part) -> Path {
    let (folder, name) = key.place(part);
    let parts = prefix.split('/').filter(|part| !part.is_empty());
    Path::from_iter(parts.chain([folder, name.as_str()]))
}

/// A piece, and what comes behind it; `None` behind the end.
type Next = JoinHandle<Result<Option<(Bytes, File, Range<u64>)>>>;

/// A local file by large pieces: while one is handed on, the next is read.
fn pieces(file: File, range: Range<u64>) -> Pieces {
    try_unfold(next(file, range), |reading| async move {
        let read = reading.await??;
        Ok(read.map(|(piece, file, rest)| (piece, next(file, rest))))
    })
    .boxed()
}

fn next(file: File, range: Range<u64>) -> Next {
    spawn_blocking(move || {
        let left = range.end.saturating_sub(range.start);
        let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
        if piece.is_empty() {
            return Ok(None);
        }
        file.read_exact_at(&mut piece, range.start)?;
        let rest = range.start + piece.len() as u64..range.end;
        Ok(Some((piece.into(), file, rest)))
    })
}
