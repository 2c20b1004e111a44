//! A successor never waits for an owner that was stopped inside a transaction.

use std::time::{Duration, Instant};

use lingxi_store::conformance::mysql::{FreshDatabase, fresh};
use lingxi_store::{EntryKind, Error, Lease, LeaseProgress, NewEntry, Store, Tx};

async fn open(database: &FreshDatabase) -> Store {
    Store::open(&database.location()).await.unwrap()
}

fn progress(lease: &Lease) -> LeaseProgress {
    LeaseProgress {
        partition: lease.partition,
        epoch: lease.epoch,
        stream_created: 1,
        stream_pos: 9,
        pushed_id: 9,
        last_id: 9,
    }
}

async fn write(tx: &mut Tx, id: i64) -> Result<(), Error> {
    let entry = NewEntry {
        id,
        conversation: "d:1:2",
        seq: id,
        kind: EntryKind::Message,
        sender_id: 1,
        msg_id: Some("m"),
        content: "late",
        target: None,
        target_seq: None,
        detail: None,
        file: None,
        created_at: 0,
    };
    tx.insert_entries(&[entry]).await
}

async fn until_expired(store: &Store, owner: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let counts = store.lease_counts().await.unwrap();
        if counts
            .iter()
            .any(|c| c.owner == owner && c.expired == c.count)
        {
            return;
        }
        assert!(Instant::now() < deadline, "{counts:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stopped_owner_is_put_aside() {
    let database = fresh().await;
    let (first, second) = (open(&database).await, open(&database).await);
    first.create_leases(4).await.unwrap();
    let held = first.take_leases("first", 300, 64, false).await.unwrap();
    let committer = first.committer("first");
    let mut stopped = committer.begin().await.unwrap();
    let all: Vec<_> = held.iter().map(progress).collect();
    stopped.fence("first", &all).await.unwrap();
    write(&mut stopped, 1).await.unwrap();

    until_expired(&second, "first").await;
    let begun = Instant::now();
    let taken = second
        .take_leases("second", 60_000, 64, false)
        .await
        .unwrap();
    assert_eq!(taken.len(), 4);
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(
        (taken[0].epoch, taken[0].stream_pos),
        (2, 0),
        "nothing of it was committed"
    );

    let late = stopped.commit().await;
    let Err(Error::Unavailable(outage)) = &late else {
        panic!("the stopped owner has committed: {late:?}")
    };
    assert!(outage.is_unknown(), "its COMMIT was sent");
    assert_eq!(second.entry(1).await.unwrap(), None);

    let mut awake = committer.begin().await.unwrap();
    let fenced = awake.fence("first", &all).await;
    assert!(matches!(fenced, Err(Error::Fenced)), "{fenced:?}");
    drop(awake);
    let committer = second.committer("second");
    let mut tx = committer.begin().await.unwrap();
    tx.fence("second", &[progress(&taken[0])]).await.unwrap();
    write(&mut tx, 1).await.unwrap();
    tx.commit().await.unwrap();
    assert!(second.entry(1).await.unwrap().is_some());
}

/// A row that is locked by nobody's committer is left for the next call, after a short while.
#[tokio::test]
async fn a_locked_lease_is_not_waited_for() {
    let database = fresh().await;
    let (first, second) = (open(&database).await, open(&database).await);
    first.create_leases(2).await.unwrap();
    let held = first.take_leases("first", -1, 64, false).await.unwrap();
    let mut tx = first.begin().await.unwrap();
    tx.fence("first", &[progress(&held[0])]).await.unwrap();
    let begun = Instant::now();
    let taken = second
        .take_leases("second", 60_000, 64, false)
        .await
        .unwrap();
    assert!(
        begun.elapsed() < Duration::from_millis(1_500),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(taken.iter().map(|l| l.partition).collect::<Vec<_>>(), [1]);
    drop(tx);
    let rest = second
        .take_leases("second", 60_000, 64, false)
        .await
        .unwrap();
    assert_eq!(rest.iter().map(|l| l.partition).collect::<Vec<_>>(), [0]);
}

#[tokio::test]
async fn an_owners_second_connection_ends_the_first() {
    let database = fresh().await;
    let store = open(&database).await;
    store.create_leases(1).await.unwrap();
    let held = store.take_leases("me", 60_000, 1, false).await.unwrap();
    let (one, two, other) = (
        store.committer("me"),
        store.committer("me"),
        store.committer("somebody else"),
    );
    let mut half_dead = one.begin().await.unwrap();
    half_dead.fence("me", &[progress(&held[0])]).await.unwrap();
    let mut untouched = other.begin().await.unwrap();
    let mut tx = two.begin().await.unwrap();
    tx.fence("me", &[progress(&held[0])]).await.unwrap();
    tx.commit().await.unwrap();
    let gone = write(&mut half_dead, 1).await.unwrap_err();
    assert!(gone.was_rolled_back(), "{gone}");
    write(&mut untouched, 2).await.unwrap();
    untouched.commit().await.unwrap();
}

/// The committer's connection comes back by itself, with its name.
#[tokio::test]
async fn a_committer_survives_a_restart() {
    let database = fresh().await;
    let store = open(&database).await;
    let committer = store.committer("me");
    committer.begin().await.unwrap().commit().await.unwrap();
    assert!(database.cut_connections().await.unwrap() >= 1);
    let deadline = Instant::now() + Duration::from_secs(5);
    while let Err(error) = committer.begin().await {
        assert!(error.was_rolled_back(), "{error}");
        assert!(Instant::now() < deadline);
    }
}
