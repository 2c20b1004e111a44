//! Leases and the fence.

use super::lease_counts::LeaseCount;
use crate::{Error, Lease, LeaseProgress, Store};

fn progress(lease: &Lease, stream_pos: i64) -> LeaseProgress {
    LeaseProgress {
        partition: lease.partition,
        epoch: lease.epoch,
        stream_created: 7,
        stream_pos,
        pushed_id: stream_pos * 10,
        last_id: stream_pos * 100,
    }
}

pub(super) async fn run(store: &Store, other: &Store) {
    store.create_leases(8).await.unwrap();
    store.create_leases(8).await.unwrap();
    let a = store.take_leases("a", 60_000, 5, false).await.unwrap();
    assert_eq!(
        a.iter().map(|l| l.partition).collect::<Vec<_>>(),
        [0, 1, 2, 3, 4]
    );
    let b = other.take_leases("b", 60_000, 64, false).await.unwrap();
    assert_eq!(
        b.iter().map(|l| l.partition).collect::<Vec<_>>(),
        [5, 6, 7],
        "held ones are not taken"
    );
    assert!(
        store
            .take_leases("a", 60_000, 64, false)
            .await
            .unwrap()
            .is_empty()
    );

    let mut tx = store.begin().await.unwrap();
    tx.fence("a", &[progress(&a[0], 3), progress(&a[1], 4)])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.fence("a", &[progress(&a[0], 9)]).await.unwrap();
    drop(tx);

    let taken = other.take_leases("b", 60_000, 64, true).await.unwrap();
    assert_eq!(taken.len(), 5, "who is known to be alone takes all");
    let first = taken.iter().find(|l| l.partition == 0).unwrap();
    assert_eq!(first.epoch, a[0].epoch + 1);
    assert_eq!(
        (
            first.stream_created,
            first.stream_pos,
            first.pushed_id,
            first.last_id
        ),
        (7, 3, 30, 300),
        "what was committed, and not what was rolled back"
    );
    let mut tx = store.begin().await.unwrap();
    let refused = tx.fence("a", &[progress(&a[0], 5)]).await;
    assert!(
        matches!(refused, Err(Error::Fenced)),
        "the former owner commits nothing: {refused:?}"
    );
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    let both = [
        progress(&b[0], 1),
        LeaseProgress {
            epoch: first.epoch - 1,
            ..progress(first, 5)
        },
    ];
    assert!(
        matches!(tx.fence("b", &both).await, Err(Error::Fenced)),
        "one lost lease refuses the whole batch"
    );
    drop(tx);

    assert!(
        store.renew_leases("a", 60_000).await.unwrap().is_empty(),
        "nothing is left to renew"
    );
    assert_eq!(other.renew_leases("b", 60_000).await.unwrap().len(), 8);
    other.release_leases("b").await.unwrap();
    assert_eq!(
        store.take_leases("a", -1, 64, false).await.unwrap().len(),
        8,
        "given up, they are free at once"
    );
    let expired = other.take_leases("b", 60_000, 64, false).await.unwrap();
    assert_eq!(
        expired.len(),
        8,
        "expired by the database's clock, they are free"
    );
    other.release_leases("b").await.unwrap();
    shares(store, other).await;
    workers(store, other).await;
    committers(store, other).await;
}

/// The surplus is given up, and taken by who has less.
async fn shares(store: &Store, other: &Store) {
    let taken = store.take_leases("a", 60_000, 64, false).await.unwrap();
    let epoch = taken[0].epoch;
    store.release_some_leases("a", &[]).await.unwrap();
    let others = [(0, epoch), (1, epoch)];
    store.release_some_leases("b", &others).await.unwrap();
    let earlier = [(0, epoch - 1)];
    store.release_some_leases("a", &earlier).await.unwrap();
    assert_eq!(
        store.held_leases("a").await.unwrap().len(),
        8,
        "only one's own, of this epoch"
    );
    let some = [(1, epoch), (3, epoch), (99, epoch)];
    store.release_some_leases("a", &some).await.unwrap();
    let count = |owner: &str, count, expired| LeaseCount {
        owner: owner.into(),
        count,
        expired,
    };
    assert_eq!(
        store.lease_counts().await.unwrap(),
        [count("", 2, 2), count("a", 6, 0)]
    );
    let one = other.take_leases("b", 60_000, 1, false).await.unwrap();
    assert_eq!(
        one.iter().map(|l| l.partition).collect::<Vec<_>>(),
        [1],
        "no more than asked for"
    );
    let rest = other.take_leases("b", 60_000, 64, false).await.unwrap();
    assert_eq!(rest.iter().map(|l| l.partition).collect::<Vec<_>>(), [3]);
    store.release_leases("a").await.unwrap();
    other.release_leases("b").await.unwrap();
}

async fn workers(store: &Store, other: &Store) {
    assert_eq!(store.announce_worker("a", 60_000).await.unwrap(), 1);
    assert_eq!(other.announce_worker("b", 60_000).await.unwrap(), 2);
    assert_eq!(
        store.announce_worker("a", 60_000).await.unwrap(),
        2,
        "once each"
    );
    assert_eq!(
        other.announce_worker("b", -1_000).await.unwrap(),
        2,
        "the caller counts"
    );
    assert_eq!(
        store.announce_worker("a", 60_000).await.unwrap(),
        1,
        "one has expired"
    );
    assert_eq!(other.announce_worker("b", -100_000).await.unwrap(), 2);
    assert_eq!(store.announce_worker("a", 60_000).await.unwrap(), 1);
    assert_eq!(other.announce_worker("b", 60_000).await.unwrap(), 2);
    store.leave_worker("a").await.unwrap();
    assert_eq!(other.announce_worker("b", 60_000).await.unwrap(), 1);
    other.leave_worker("b").await.unwrap();
}

/// A committer's transactions are those of its owner, one after another.
async fn committers(store: &Store, other: &Store) {
    let held = store.take_leases("a", 60_000, 1, false).await.unwrap();
    let committer = store.committer("a");
    for stream_pos in [50, 51] {
        let mut tx = committer.begin().await.unwrap();
        tx.fence("a", &[progress(&held[0], stream_pos)])
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let mut tx = committer.begin().await.unwrap();
    tx.fence("a", &[progress(&held[0], 52)]).await.unwrap();
    drop(tx);
    let mut tx = committer.begin().await.unwrap();
    tx.fence("a", &[progress(&held[0], 53)]).await.unwrap();
    tx.commit().await.unwrap();
    store.release_leases("a").await.unwrap();
    let taken = other.take_leases("b", 60_000, 1, false).await.unwrap();
    assert_eq!(taken[0].stream_pos, 53);
    let mut tx = committer.begin().await.unwrap();
    let late = tx.fence("a", &[progress(&held[0], 54)]).await;
    assert!(matches!(late, Err(Error::Fenced)), "{late:?}");
    drop(tx);
    other.release_leases("b").await.unwrap();
}
