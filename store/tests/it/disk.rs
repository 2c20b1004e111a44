//! SQLite on a disk that is full for a while: what fails says so, nothing that was committed is lost, and all is well again
//! when there is room, in the same process.

use std::time::{Duration, Instant};

use lingxi_domain::run::RunKind;
use lingxi_store::{Error, Location, NewRun, Store};
use lingxi_testing::{SmallDisk, until};

fn run<'a>(id: &'a str, input: &'a str) -> NewRun<'a> {
    NewRun {
        id,
        user_id: 1,
        kind: RunKind::Chat,
        lane: "interactive",
        conversation: None,
        input,
        idempotency_key: None,
        deadline_ms: 60_000,
    }
}

/// Commits until it fails; the ids of what was committed, and the failure.
async fn write_until_it_fails(store: &Store, committed: &mut Vec<String>) -> Error {
    let input = "x".repeat(60_000);
    loop {
        assert!(committed.len() < 10_000, "the disk is never full");
        let id = format!("run-{}", committed.len());
        match store.create_run(&run(&id, &input)).await {
            Ok(_) => committed.push(id),
            Err(error) => return error,
        }
    }
}

#[tokio::test]
async fn a_full_disk_is_an_outage_that_ends_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path().join("disk"), 16);
    let path = disk.path().join("lingxi.db");
    let store = Store::open(&Location::Sqlite(path.clone())).await.unwrap();
    let mut committed = Vec::new();
    store.create_run(&run("first", "?")).await.unwrap();
    store.check_write().await.unwrap();
    for time in 0..3 {
        disk.fill();
        let error = write_until_it_fails(&store, &mut committed).await;
        assert!(matches!(error, Error::Unavailable(_)), "{time}: {error:?}");
        // Again and again, from several tasks: each fails by itself, and soon.
        let began = Instant::now();
        let input = "y".repeat(60_000);
        let tries = (0..20).map(async |n| {
            let id = format!("vain-{time}-{n}");
            store.create_run(&run(&id, &input)).await.map(|_| ())
        });
        for tried in futures_util::future::join_all(tries).await {
            assert!(matches!(tried, Err(Error::Unavailable(_))), "{tried:?}");
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{began:?}");
        // What is there can be read.
        assert!(store.run("first").await.unwrap().is_some());
        disk.free();
        let freed = Instant::now();
        until("it takes writes again", async || {
            store.check_write().await.is_ok()
        })
        .await;
        let id = format!("after-{time}");
        store.create_run(&run(&id, &input)).await.unwrap();
        committed.push(id);
        assert!(freed.elapsed() < Duration::from_secs(5), "{freed:?}");
    }
    for id in &committed {
        assert!(store.run(id).await.unwrap().is_some(), "{id} is lost");
    }
    assert!(store.run("vain-0-0").await.unwrap().is_none());
    store.close().await;
    // And by another process, whose recovery reads the log that the failures left.
    let store = Store::open(&Location::Sqlite(path)).await.unwrap();
    for id in &committed {
        assert!(store.run(id).await.unwrap().is_some(), "{id} is lost");
    }
}

/// When not one page fits any more, a proof of writing fails, and it is told within the time that readiness has.
#[tokio::test]
async fn a_full_disk_is_told_by_the_write_check() {
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path().join("disk"), 16);
    let path = disk.path().join("lingxi.db");
    let store = Store::open(&Location::Sqlite(path)).await.unwrap();
    store.check_write().await.unwrap();
    disk.fill();
    until("the write check fails", async || {
        let asked = Instant::now();
        let failed = matches!(store.check_write().await, Err(Error::Unavailable(_)));
        assert!(asked.elapsed() < Duration::from_secs(2), "{asked:?}");
        failed
    })
    .await;
    store.ping().await.unwrap();
    disk.free();
    until("the write check holds", async || {
        store.check_write().await.is_ok()
    })
    .await;
}

/// A log of many megabytes, written on a full disk back into the database, and cut: nothing fails but what needs room.
#[tokio::test]
async fn a_checkpoint_without_room_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path().join("disk"), 48);
    let path = disk.path().join("lingxi.db");
    let store = Store::open(&Location::Sqlite(path.clone())).await.unwrap();
    let input = "z".repeat(60_000);
    let mut committed = Vec::new();
    for n in 0..250 {
        let id = format!("early-{n}");
        store.create_run(&run(&id, &input)).await.unwrap();
        committed.push(id);
    }
    disk.fill();
    let error = write_until_it_fails(&store, &mut committed).await;
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    disk.free();
    for n in 0..50 {
        let id = format!("late-{n}");
        store.create_run(&run(&id, &input)).await.unwrap();
        committed.push(id);
    }
    store.close().await;
    let store = Store::open(&Location::Sqlite(path)).await.unwrap();
    for id in &committed {
        assert!(store.run(id).await.unwrap().is_some(), "{id} is lost");
    }
}
