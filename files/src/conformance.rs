//! What every place for files must do, run against each kind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a conformance suite is a test: it panics where a promise is broken"
)]

use futures_util::TryStreamExt as _;

use crate::{Blobs, Error, Key, Part, Result, Spool};

/// Runs the whole suite.
///
/// # Panics
/// Where a promise is broken.
pub async fn run(blobs: &Blobs) {
    what_is_kept_is_read(blobs).await;
    a_range_is_read(blobs).await;
    a_large_file_goes_through(blobs).await;
    what_is_not_there_is_said(blobs).await;
    what_is_deleted_is_gone(blobs).await;
    a_file_has_a_thumbnail(blobs).await;
    what_was_let_go_leaves_nothing(blobs).await;
}

async fn spool(blobs: &Blobs, bytes: &[u8]) -> Spool {
    let mut spool = blobs.spool(bytes.len() as u64).await.unwrap();
    for piece in bytes.chunks(10_000) {
        spool.write(piece).await.unwrap();
    }
    assert_eq!(spool.bytes(), bytes.len() as u64);
    spool
}

async fn kept(blobs: &Blobs, bytes: &[u8]) -> Key {
    let key = Key::random();
    let spool = spool(blobs, bytes).await;
    blobs.keep(&key, Part::Whole, spool).await.unwrap();
    key
}

async fn read(blobs: &Blobs, key: &Key, part: Part, (first, end): (u64, u64)) -> Result<Vec<u8>> {
    let pieces = blobs.read(key, part, first..end).await?;
    let pieces: Vec<_> = pieces.try_collect().await?;
    Ok(pieces.concat())
}

fn noise(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|n| (n * 31 % 251) as u8).collect()
}

async fn what_is_kept_is_read(blobs: &Blobs) {
    for bytes in [b"".to_vec(), b"x".to_vec(), noise(200_000)] {
        let key = kept(blobs, &bytes).await;
        let whole = (0, bytes.len() as u64);
        let found = read(blobs, &key, Part::Whole, whole).await.unwrap();
        assert!(found == bytes, "{} bytes", bytes.len());
        blobs.delete(&key).await.unwrap();
    }
}

async fn a_range_is_read(blobs: &Blobs) {
    let bytes = noise(200_000);
    let key = kept(blobs, &bytes).await;
    for (first, end) in [
        (0, 1),
        (1, 200_000),
        (65_536, 65_537),
        (199_999, 200_000),
        (5, 5),
    ] {
        let found = read(blobs, &key, Part::Whole, (first, end)).await.unwrap();
        let expected = &bytes[first as usize..end as usize];
        assert!(found == expected, "{first}..{end}");
    }
    blobs.delete(&key).await.unwrap();
}

async fn a_large_file_goes_through(blobs: &Blobs) {
    let bytes = noise(12 * 1024 * 1024 + 7);
    let key = kept(blobs, &bytes).await;
    let whole = (0, bytes.len() as u64);
    let found = read(blobs, &key, Part::Whole, whole).await.unwrap();
    assert!(found == bytes);
    blobs.delete(&key).await.unwrap();
}

async fn what_is_not_there_is_said(blobs: &Blobs) {
    let absent = read(blobs, &Key::random(), Part::Whole, (0, 1)).await;
    assert!(matches!(absent, Err(Error::NotThere)), "{absent:?}");
    blobs.delete(&Key::random()).await.unwrap();
}

async fn what_is_deleted_is_gone(blobs: &Blobs) {
    let key = kept(blobs, b"x").await;
    blobs.delete(&key).await.unwrap();
    let absent = read(blobs, &key, Part::Whole, (0, 1)).await;
    assert!(matches!(absent, Err(Error::NotThere)), "{absent:?}");
    blobs.delete(&key).await.unwrap();
}

async fn a_file_has_a_thumbnail(blobs: &Blobs) {
    let key = kept(blobs, b"large").await;
    let small = spool(blobs, b"small").await;
    blobs.keep(&key, Part::Thumbnail, small).await.unwrap();
    let found = read(blobs, &key, Part::Thumbnail, (0, 5)).await.unwrap();
    assert_eq!(found, b"small");
    let found = read(blobs, &key, Part::Whole, (0, 5)).await.unwrap();
    assert_eq!(found, b"large");
    blobs.delete(&key).await.unwrap();
    let absent = read(blobs, &key, Part::Thumbnail, (0, 5)).await;
    assert!(matches!(absent, Err(Error::NotThere)), "{absent:?}");
}

async fn what_was_let_go_leaves_nothing(blobs: &Blobs) {
    let spool = spool(blobs, b"half").await;
    let path = spool.path().to_owned();
    assert!(path.exists());
    drop(spool);
    assert!(!path.exists());
}

/// Makes the bucket, on a server that lets everybody in, as those for tests do.
///
/// # Panics
/// When the server does not.
pub async fn make_bucket(options: &crate::BucketOptions) {
    ask_bucket(options, "PUT", "").await;
}

/// Asks such a server about the bucket; answers what it says.
///
/// # Panics
/// When it refuses.
pub async fn ask_bucket(options: &crate::BucketOptions, method: &str, query: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let endpoint = options.endpoint.as_deref().unwrap_or_default();
    let address = endpoint.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{method} /{}{query} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
        options.bucket
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(" 200 "), "{answer}");
    answer
}
