//! Every place for files keeps the promises of every place.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use lingxi_files::{Blobs, BucketOptions, Error, Key, Part, conformance};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_testing::until;

fn folder(root: &Path) -> Blobs {
    Blobs::folder(root.join("files"), 0).expect("a folder")
}

#[tokio::test]
async fn a_folder() {
    let root = tempfile::tempdir().expect("a folder");
    conformance::run(&folder(root.path())).await;
}

/// A new bucket, and what is asked of it to see it.
async fn bucket(root: &Path, shutdown: &Shutdown) -> (Blobs, BucketOptions) {
    let endpoint = std::env::var("LINGXI_TEST_S3_URL")
        .expect("LINGXI_TEST_S3_URL is not set: run ./test, which starts a server");
    let options = BucketOptions {
        bucket: format!("lingxi-{}", Key::random().as_str()),
        prefix: "some/prefix".to_owned(),
        endpoint: Some(endpoint),
        region: "us-east-1".to_owned(),
        access_key: Some("key".to_owned()),
        secret_key: Some("secret".to_owned()),
    };
    conformance::make_bucket(&options).await;
    let spool = (root.join("incoming"), 0);
    let blobs = Blobs::bucket(&options, spool, shutdown.tasks("files")).expect("a bucket");
    (blobs, options)
}

#[tokio::test]
async fn a_bucket() {
    let root = tempfile::tempdir().expect("a folder");
    let (blobs, _) = bucket(root.path(), &Shutdown::new()).await;
    conformance::run(&blobs).await;
}

#[tokio::test]
async fn of_what_is_let_go_half_way_a_bucket_keeps_no_parts() {
    let (root, shutdown) = (tempfile::tempdir().expect("a folder"), Shutdown::new());
    let (blobs, options) = bucket(root.path(), &shutdown).await;
    let mut spool = blobs.spool(0).await.expect("a spool");
    for _ in 0..60 {
        spool.write(&vec![7; 1 << 20]).await.expect("written");
    }
    let under_way = async || {
        let uploads = conformance::ask_bucket(&options, "GET", "?uploads").await;
        uploads.contains("<UploadId>")
    };
    let key = Key::random();
    tokio::select! {
        biased;
        () = until("parts are under way", &under_way) => {}
        kept = blobs.keep(&key, Part::Whole, spool) => panic!("it was not let go: {kept:?}"),
    }
    until("its parts are gone", async || !under_way().await).await;
}

#[tokio::test]
async fn nobody_else_on_the_machine_reads_them() {
    let root = tempfile::tempdir().expect("a folder");
    let blobs = folder(root.path());
    let key = Key::random();
    let mut spool = blobs.spool(1).await.expect("a spool");
    spool.write(b"x").await.expect("written");
    blobs.keep(&key, Part::Whole, spool).await.expect("kept");
    let mut looked_at = 0;
    let mut folders = vec![root.path().join("files")];
    while let Some(folder) = folders.pop() {
        let mode =
            |path: &Path| std::fs::metadata(path).expect("known").permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                looked_at += 1;
            }
        }
    }
    assert_eq!(looked_at, 1);
}

#[tokio::test]
async fn room_is_left_for_others() {
    let root = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::folder(root.path().join("files"), u64::MAX / 2).expect("a folder");
    assert!(matches!(blobs.spool(1).await, Err(Error::Full)));
}

#[tokio::test]
async fn what_comes_at_once_finds_room_together() {
    let root = tempfile::tempdir().expect("a folder");
    let blobs = folder(root.path());
    let disk = rustix::fs::statvfs(root.path()).expect("a disk");
    // Any disk has room for one of them, and none for two.
    let large = disk.f_bavail * disk.f_frsize / 5 * 3;
    let mut first = blobs.spool(large).await.expect("room");
    assert!(matches!(blobs.spool(large).await, Err(Error::Full)));
    first
        .write(b"what it has taken is no promise")
        .await
        .expect("written");
    drop(first);
    drop(blobs.spool(large).await.expect("it comes back"));
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept() {
    let root = tempfile::tempdir().expect("a folder");
    let blobs = folder(root.path());
    let under_way = blobs.spool(1).await.expect("a spool");
    let left = root.path().join("files/incoming/in-left");
    std::fs::write(&left, "half").expect("written");
    let hour = Duration::from_secs(3600);
    let long_ago = std::time::SystemTime::now() - 2 * hour;
    let file = std::fs::File::options()
        .write(true)
        .open(&left)
        .expect("a file");
    file.set_modified(long_ago).expect("another time");
    assert_eq!(blobs.sweep_incoming(hour).await.expect("swept"), 1);
    assert!(!left.exists());
    assert!(under_way.path().exists());
}

#[tokio::test]
async fn without_a_place_it_is_said() {
    let none = Blobs::none();
    assert!(!none.is_there());
    assert!(matches!(none.spool(1).await, Err(Error::NoStore)));
}
