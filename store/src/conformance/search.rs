//! The index of messages.

use std::collections::BTreeSet;

use lingxi_domain::Seq;

use super::{group, user};
use crate::{IndexPart, Searchable, Store};

/// Distinct keys, all over their range, some of them in many messages.
fn keys(seq: Seq) -> impl Iterator<Item = u32> {
    let own = (0..40).map(move |n| (seq as u32 * 40 + n).wrapping_mul(2_654_435_761) >> 4);
    own.chain([7, 7 << 12, (1 << 28) - 1])
}

async fn searchable(store: &Store, user: i64, key: &str) -> Searchable {
    let found = store.searchable(user, Some(key), 10).await.unwrap();
    let [found] = <[Searchable; 1]>::try_from(found).unwrap();
    found
}

async fn found(store: &Store, user: i64, key: &str, range: (u32, u32)) -> Vec<Seq> {
    let searchable = searchable(store, user, key).await;
    let mut found = store.find(&[&searchable], range).await.unwrap();
    found.pop().unwrap()
}

pub(super) async fn run(store: &Store) {
    let a = user(store, "cf.search.a").await;
    let b = user(store, "cf.search.b").await;
    let last: Seq = 17_000;
    let (key, other) = (
        format!("g:{}", (1 << 42) + a),
        format!("g:{}", (1 << 43) + a),
    );
    group(store, &key, last, &[(a, 1), (b, 100)]).await;
    group(store, &other, 5, &[(a, 1)]).await;
    assert_eq!(found(store, a, &key, (7, 7)).await, [] as [Seq; 0]);

    // In steps of all sizes, so that segments of every kind are made, merged and filled.
    let mut after = 0;
    for step in [1, 3, 30, 300, 2_000].into_iter().cycle() {
        let upto = (after + step).min(last);
        let postings = (after + 1..=upto).flat_map(|seq| keys(seq).map(move |key| (key, seq)));
        let mut parts = vec![IndexPart {
            conversation: &key,
            after,
            upto,
            postings: postings.collect(),
        }];
        if after == 0 {
            parts.push(IndexPart {
                conversation: &other,
                after: 0,
                upto: 5,
                postings: vec![(7, 2), (7, 5)],
            });
        }
        store.index(&parts).await.unwrap();
        // By another worker, or again: it is there already.
        store.index(&parts).await.unwrap();
        after = upto;
        if after == last {
            break;
        }
    }
    // By a worker that slept meanwhile.
    let stale = IndexPart {
        conversation: &key,
        after: 1,
        upto: 4,
        postings: vec![(9, 2)],
    };
    store.index(&[stale]).await.unwrap();
    assert_eq!(found(store, a, &key, (9, 9)).await, [] as [Seq; 0]);
    let indexed = store.indexed(&[&key, &other, "g:1"]).await.unwrap();
    assert_eq!(indexed.get(&key), Some(&last));
    assert_eq!(indexed.get(&other), Some(&5));
    assert_eq!(indexed.len(), 2);

    let all: Vec<Seq> = (1..=last).collect();
    assert_eq!(found(store, a, &key, (7, 7)).await, all);
    assert_eq!(
        found(store, b, &key, (7, 7)).await,
        all[99..],
        "from their joining on"
    );
    assert_eq!(found(store, a, &other, (7, 7)).await, [2, 5]);
    let (one, two) = (
        searchable(store, a, &other).await,
        searchable(store, b, &key).await,
    );
    let both = store
        .find(&[&one, &two], (7 << 12, (7 << 12) | 0xfff))
        .await
        .unwrap();
    assert_eq!(both, [vec![], all[99..].to_vec()]);
    for seq in (1..=last).step_by(397) {
        for range in [keys(seq).map(|key| (key, key)).next().unwrap(), {
            let first = keys(seq).nth(1).unwrap() & !0xfff;
            (first, first | 0xfff)
        }] {
            let expected: BTreeSet<Seq> = (1..=last)
                .filter(|&seq| keys(seq).any(|key| (range.0..=range.1).contains(&key)))
                .collect();
            let found = found(store, a, &key, range).await;
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{range:?}");
        }
    }

    merged_meanwhile(store, a, &other).await;
    let list = store.searchable(a, None, 10).await.unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(store.searchable(a, None, 1).await.unwrap().len(), 1);
    let stretch = (two.first, two.last, two.left, two.indexed);
    assert_eq!(stretch, (100, last, false, last));

    behind(store, &other).await;
    thrown_away(store, a, &other).await;
}

/// Between asking where an index is and looking there, it is merged: what it had is found all the same.
async fn merged_meanwhile(store: &Store, user: i64, key: &str) {
    let before = searchable(store, user, key).await;
    assert_eq!(store.find(&[&before], (7, 7)).await.unwrap(), [[2, 5]]);
    let many = (0..2_000).map(|key| (1_000 + key, 5));
    let part = IndexPart {
        conversation: key,
        after: 5,
        upto: 6,
        postings: many.collect(),
    };
    store.index(&[part]).await.unwrap();
    assert_eq!(store.find(&[&before], (7, 7)).await.unwrap(), [[2, 5]]);
}

/// Conversations whose log goes on.
async fn behind(store: &Store, key: &str) {
    let mut tx = store.begin().await.unwrap();
    let mut head = tx.lock_conversation(key).await.unwrap().unwrap();
    head.last_seq = 9;
    tx.put_heads(&[head]).await.unwrap();
    tx.commit().await.unwrap();
    let (mut after, mut unindexed) = (String::new(), Vec::new());
    loop {
        let (page, next) = store.unindexed_page(&after, 3).await.unwrap();
        unindexed.extend(page);
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    let of_it = unindexed
        .iter()
        .find(|found| found.conversation == key)
        .unwrap();
    assert_eq!((of_it.indexed, of_it.last), (6, 9));
    assert!(unindexed.iter().all(|found| found.indexed < found.last));
}

/// An index that is thrown away between asking and looking is no index without the word.
async fn thrown_away(store: &Store, user: i64, key: &str) {
    let before = searchable(store, user, key).await;
    store.forget_index(key).await.unwrap();
    let gone = store.find(&[&before], (7, 7)).await.unwrap_err();
    assert!(gone.timed_out(), "{gone:?}");
    assert_eq!(searchable(store, user, key).await.indexed, 0);
    assert_eq!(found(store, user, key, (7, 7)).await, [] as [Seq; 0]);
}
