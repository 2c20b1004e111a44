//! What every database must do for a [`Store`], run against each kind.
//!
//! Each part works on rows of its own, so the suite can be run on a database that holds others; only that of runs removes
//! all runs first, since the sweeper looks at all of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a conformance suite is a test: it panics where a promise is broken"
)]

mod asking;
mod blocks;
mod bots;
mod bounds;
mod changes;
mod contention;
mod cursors;
mod effects;
mod entries;
mod files;
mod gateways;
mod group_changes;
mod groups;
mod lease_counts;
mod leases;
pub mod mysql;
mod reactions;
mod rosters;
mod runs;
mod search;
mod standing;
mod users;

use lingxi_domain::role::{AccountRole, GroupRole};
use lingxi_domain::{Seq, UserId, now_ms};

use crate::{ConversationHead, NewUser, Store};

/// Runs the whole suite. `open` opens the database anew, as another process would.
///
/// # Panics
/// Where a promise is broken.
pub async fn run<F>(open: F)
where
    F: AsyncFn() -> Store,
{
    let store = open().await;
    leases::run(&store, &open().await).await;
    entries::run(&store).await;
    cursors::run(&store).await;
    users::run(&store, &open).await;
    changes::run(&store).await;
    groups::run(&store).await;
    group_changes::run(&store).await;
    blocks::run(&store).await;
    reactions::run(&store).await;
    search::run(&store).await;
    files::run(&store).await;
    standing::run(&store).await;
    bounds::run(&store).await;
    rosters::run(&store).await;
    contention::run(&store).await;
    effects::run(&store).await;
    runs::run(&store).await;
    asking::run(&store).await;
    gateways::run(&store).await;
    bots::run(&store).await;
    settings(&store, &open().await).await;
    connection_ids(&store, &open().await).await;
    store.ping().await.unwrap();
}

/// A new account.
async fn user(store: &Store, name: &str) -> UserId {
    let new = NewUser {
        username: name,
        username_key: &name.to_lowercase(),
        password_hash: "",
        nickname: name,
        role: AccountRole::User,
        created_at: now_ms(),
    };
    store.create_user(&new).await.unwrap()
}

/// A group's conversation that has come to `last_seq`, with its members: the first one its owner, each with the place of
/// their joining.
async fn group(store: &Store, key: &str, last_seq: Seq, members: &[(UserId, Seq)]) {
    let head = ConversationHead {
        last_seq,
        message_seq: last_seq,
        ..ConversationHead::new(key, now_ms())
    };
    let mut tx = store.begin().await.unwrap();
    tx.put_heads(&[head]).await.unwrap();
    let mut role = GroupRole::Owner;
    for &(user, joined_seq) in members {
        let row = [(user, role)];
        tx.add_members(key, &row, joined_seq, joined_seq)
            .await
            .unwrap();
        role = GroupRole::Member;
    }
    tx.commit().await.unwrap();
}

async fn settings(store: &Store, other: &Store) {
    assert_eq!(
        store.install_setting("conformance", "64").await.unwrap(),
        "64"
    );
    assert_eq!(
        other.install_setting("conformance", "32").await.unwrap(),
        "64",
        "what was installed stays"
    );
}

async fn connection_ids(store: &Store, other: &Store) {
    let (here, there) = (
        crate::ConnectionIds::new(store.clone()),
        crate::ConnectionIds::new(other.clone()),
    );
    let mut last = 0;
    for _ in 0..20 {
        for ids in [&here, &there] {
            let id = ids.next().await.unwrap();
            assert!(
                id > last,
                "an id that is asked for later is higher, whichever node asks"
            );
            last = id;
        }
    }
    let together = futures_util::future::join_all((0..100).map(|_| here.next())).await;
    let mut together: Vec<i64> = together.into_iter().map(Result::unwrap).collect();
    together.sort_unstable();
    together.dedup();
    assert_eq!(together.len(), 100, "no id twice");
    assert!(together[0] > last);
}
