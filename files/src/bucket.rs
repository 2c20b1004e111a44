//! A bucket of an S3-compatible store.

use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use lingxi_runtime::shutdown::Tasks;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    ClientOptions, MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload, RetryConfig,
};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::folder::Incoming;
use crate::spool::Spool;

/// Bytes that go out at a time: the least that S3 takes as a part that is not the last.
const PART: usize = 5 * 1024 * 1024;
/// Files that go out at once, each holding one part.
const AT_ONCE: usize = 2;
/// How long the store is asked again after it failed.
const RETRY: Duration = Duration::from_secs(10);
/// How long a whole request may take: as long as the slowest client may read a file.
const LONGEST: Duration = Duration::from_secs(900);

/// Where a bucket is, and how to come in.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The bucket's name.
    pub bucket: String,
    /// What names begin with in it; empty for nothing.
    pub prefix: String,
    /// `http://host:port` of a store that is not Amazon's.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// The key's id; without one, what the machine's own role allows.
    pub access_key: Option<String>,
    /// The key.
    pub secret_key: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Bucket {
    store: AmazonS3,
    name: String,
    prefix: String,
    incoming: Incoming,
    places: Semaphore,
    tasks: Tasks,
}

/// A file that goes out by parts. Dropped before it is whole, its parts are taken back: they would cost as much as a file.
struct Parts {
    upload: Option<Box<dyn MultipartUpload>>,
    tasks: Tasks,
}

impl Bucket {
    pub(crate) fn open(
        options: &Options,
        (spool, keep_free): (PathBuf, u64),
        tasks: Tasks,
    ) -> Result<Self> {
        let retry = RetryConfig {
            max_retries: 3,
            retry_timeout: RETRY,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_retry(retry)
            .with_client_options(ClientOptions::new().with_timeout(LONGEST));
        if let (Some(id), Some(key)) = (&options.access_key, &options.secret_key) {
            builder = builder.with_access_key_id(id).with_secret_access_key(key);
        }
        if let Some(endpoint) = &options.endpoint {
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http:"));
        }
        let store = builder
            .build()
            .map_err(|error| Error::Setup(format!("files: {error}")))?;
        Ok(Self {
            store,
            name: options.bucket.clone(),
            prefix: options.prefix.clone(),
            incoming: Incoming::open(spool, keep_free)?,
            places: Semaphore::new(AT_ONCE),
            tasks,
        })
    }

    pub(crate) fn describe(&self) -> String {
        format!("the bucket {}", self.name)
    }

    pub(crate) fn store(&self) -> &dyn ObjectStore {
        &self.store
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn incoming(&self) -> &Incoming {
        &self.incoming
    }

    pub(crate) async fn keep(&self, path: &Path, mut spool: Spool) -> Result<()> {
        let _place = self.places.acquire().await;
        spool.flush().await?;
        let mut file = File::open(spool.path()).await?;
        let first = next(&mut file).await?;
        if first.len() < PART {
            self.store.put(path, PutPayload::from(first)).await?;
            return Ok(());
        }
        let parts = Parts {
            upload: Some(self.store.put_multipart(path).await?),
            tasks: self.tasks.clone(),
        };
        parts.send(&mut file, first).await
    }
}

impl Parts {
    async fn send(mut self, file: &mut File, first: Bytes) -> Result<()> {
        if let Some(upload) = &mut self.upload {
            let mut part = first;
            while !part.is_empty() {
                upload.put_part(PutPayload::from(part)).await?;
                part = next(file).await?;
            }
            upload.complete().await?;
        }
        self.upload = None;
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // Also where the client left, and nobody waits for the file any more.
        if let Some(mut upload) = self.upload.take() {
            self.tasks.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%error, "parts of a file may be left in the bucket");
                }
            });
        }
    }
}

/// The next part of a file; empty behind its end.
async fn next(file: &mut File) -> Result<Bytes> {
    let mut part = BytesMut::new();
    let mut limited = file.take(PART as u64);
    while limited.read_buf(&mut part).await? > 0 {}
    Ok(part.freeze())
}
