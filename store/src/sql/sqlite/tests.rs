//! A connection never comes back in a state that its next user would feel.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::sql::args;
use crate::{Location, Store};

/// Takes for ever.
const ENDLESS: &str =
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n";
/// Takes a while, and writes.
const SLOW: &str = "INSERT INTO settings (name, value) WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n \
     WHERE x < 300000) SELECT 'slow' || x, '' FROM n";

async fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let location = Location::Sqlite(folder.path().join("test.db"));
    let store = Store::open(&location).await.unwrap();
    (folder, store)
}

/// Whether a transaction begins, writes and commits, and nothing of `slow` is there.
async fn is_well(store: &Store) {
    let written = async {
        store.install_setting("well", "yes").await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let sql = "SELECT COUNT(*) FROM settings WHERE name LIKE 'slow%'";
        let row = tx.conn.fetch_one(sql, vec![]).await.unwrap().unwrap();
        assert_eq!(row.int(0).unwrap(), 0, "a part of what was given up stayed");
        tx.commit().await.unwrap();
    };
    let within = tokio::time::timeout(Duration::from_secs(10), written);
    within.await.unwrap();
}

/// What SQLite does by itself when the disk is full: the transaction is gone before anybody asks for that.
#[tokio::test]
async fn a_transaction_that_is_no_more_poisons_nothing() {
    let (_folder, store) = store().await;
    for _ in 0..3 {
        let mut tx = store.begin().await.unwrap();
        tx.conn.execute("ROLLBACK", vec![]).await.unwrap();
        drop(tx);
        is_well(&store).await;
        let mut tx = store.begin().await.unwrap();
        tx.conn.execute("ROLLBACK", vec![]).await.unwrap();
        let committed = tx.commit().await;
        assert!(committed.is_err(), "nothing was there to be committed");
        is_well(&store).await;
    }
}

#[tokio::test]
async fn a_transaction_may_be_given_up_at_any_moment() {
    let (_folder, store) = store().await;
    for wait_ms in [0, 1, 5, 20, 60, 150] {
        let transaction = async {
            let mut tx = store.begin().await?;
            tx.conn.execute(SLOW, vec![]).await?;
            tx.conn
                .execute("DELETE FROM settings WHERE name LIKE 'slow%'", vec![])
                .await?;
            tx.commit().await
        };
        let _ = tokio::time::timeout(Duration::from_millis(wait_ms), transaction).await;
        is_well(&store).await;
    }
}

#[tokio::test]
async fn a_panic_inside_a_transaction_rolls_it_back() {
    let (_folder, store) = store().await;
    let inside = store.clone();
    let panicked = tokio::spawn(async move {
        let mut tx = inside.begin().await.unwrap();
        let sql = "INSERT INTO settings (name, value) VALUES ('slow', '')";
        tx.conn.execute(sql, vec![]).await.unwrap();
        panic!("in the middle of a transaction");
    });
    assert!(panicked.await.unwrap_err().is_panic());
    is_well(&store).await;
}

#[tokio::test]
async fn a_wrong_statement_or_a_taken_key_leaves_the_transaction_alone() {
    let (_folder, store) = store().await;
    let mut tx = store.begin().await.unwrap();
    let insert = "INSERT INTO settings (name, value) VALUES ('one', '')";
    tx.conn.execute(insert, vec![]).await.unwrap();
    assert!(tx.conn.execute(insert, vec![]).await.is_err());
    assert!(tx.conn.execute("no SQL", vec![]).await.is_err());
    tx.commit().await.unwrap();
    assert_eq!(store.install_setting("one", "two").await.unwrap(), "");
}

#[tokio::test]
async fn a_read_ends_at_its_limit_and_not_as_an_outage() {
    let (_folder, store) = store().await;
    for _ in 0..6 {
        let began = Instant::now();
        let mut reader = store.db.reader(Duration::from_millis(50)).await.unwrap();
        let read = reader.fetch(ENDLESS, vec![]).await.map(|_| ());
        assert!(matches!(read, Err(Error::TimedOut(_))), "{read:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{began:?}");
    }
    store.ping().await.unwrap();
}

#[tokio::test]
async fn reads_that_are_given_up_free_their_readers() {
    let (_folder, store) = store().await;
    for _ in 0..3 {
        let reads = (0..8).map(async |_| {
            let mut reader = store.reader().await.unwrap();
            let read = reader.fetch(ENDLESS, vec![]);
            let _ = tokio::time::timeout(Duration::from_millis(30), read).await;
        });
        futures_util::future::join_all(reads).await;
    }
    tokio::time::timeout(Duration::from_secs(5), store.ping())
        .await
        .unwrap()
        .unwrap();
}

/// However many search, the others read.
#[tokio::test]
async fn searches_leave_readers_to_others() {
    let (_folder, store) = store().await;
    let searches = (0..16).map(async |_| {
        let mut searcher = store.searcher().await?;
        searcher.conn.fetch(ENDLESS, vec![]).await
    });
    let searches = futures_util::future::join_all(searches);
    let others = async {
        for _ in 0..20 {
            let began = Instant::now();
            store.ping().await.unwrap();
            assert!(began.elapsed() < Duration::from_millis(500), "{began:?}");
            tokio::task::yield_now().await;
        }
    };
    let began = Instant::now();
    let (found, ()) = tokio::join!(searches, others);
    assert!(began.elapsed() < Duration::from_secs(8), "{began:?}");
    for one in found {
        assert!(matches!(one, Err(Error::TimedOut(_))));
    }
}

#[tokio::test]
async fn a_read_may_stop_in_the_middle() -> Result<()> {
    let (_folder, store) = store().await;
    let rows = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x, ? FROM n";
    for _ in 0..6 {
        let mut seen = Vec::new();
        let mut reader = store.reader().await?;
        let three = |row: crate::sql::Row| {
            seen.push(row.int(0)?);
            Ok(seen.len() < 3)
        };
        reader.fetch_while(rows, args!["x"], three).await?;
        assert_eq!(seen, [1, 2, 3]);
        // The same connection goes on.
        assert_eq!(reader.fetch("SELECT 1", vec![]).await?.len(), 1);
    }
    Ok(())
}
