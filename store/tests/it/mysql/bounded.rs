//! Every wait ends.

use std::time::{Duration, Instant};

use lingxi_store::conformance::mysql::fresh;
use lingxi_store::{ConversationHead, Error, Location, MySqlOptions, Store};

use super::proxy::Proxy;

fn head(key: &str) -> ConversationHead {
    ConversationHead::new(key, 0)
}

#[tokio::test]
async fn a_server_that_stopped_is_noticed() {
    let database = fresh().await;
    let mut proxy = Proxy::to(database.options()).await;
    let short = Duration::from_millis(300);
    proxy.options.statement_timeout = short;
    proxy.options.connect_timeout = short;
    let store = Store::open(&Location::MySql(proxy.options.clone()))
        .await
        .unwrap();
    store.ping().await.unwrap();
    let mut open = store.begin().await.unwrap();
    open.put_heads(&[head("g:1")]).await.unwrap();
    let mut committing = store.begin().await.unwrap();
    committing.put_heads(&[head("g:2")]).await.unwrap();

    proxy.freeze(true);
    let begun = Instant::now();
    let read = store.ping().await.unwrap_err();
    assert!(
        matches!(read, Error::Unavailable(_)) && !read.was_rolled_back(),
        "{read}"
    );
    let written = open.put_heads(&[head("g:3")]).await.unwrap_err();
    // Whether the server or the statement is slow cannot be told.
    assert!(written.timed_out(), "{written}");
    let again = open.put_heads(&[head("g:3")]).await.unwrap_err();
    assert!(again.was_rolled_back(), "the transaction is over: {again}");
    let Err(Error::Unavailable(unknown)) = committing.commit().await else {
        panic!("committed without an answer")
    };
    assert!(unknown.is_unknown(), "it may have happened: {unknown}");
    let connecting = store.ping().await.unwrap_err();
    assert!(matches!(connecting, Error::Unavailable(_)), "{connecting}");
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );

    proxy.freeze(false);
    store.ping().await.unwrap();
    let direct = Store::open(&database.location()).await.unwrap();
    assert_eq!(
        direct.conversation("g:1").await.unwrap(),
        None,
        "rolled back"
    );
}

#[tokio::test]
async fn a_full_pool_is_told() {
    let database = fresh().await;
    let options = MySqlOptions {
        pool_max: 1,
        acquire_timeout: Duration::from_millis(50),
        ..database.options()
    };
    let store = Store::open(&Location::MySql(options)).await.unwrap();
    let tx = store.begin().await.unwrap();
    let full = store.ping().await.unwrap_err();
    assert!(
        matches!(full, Error::Unavailable(_)) && full.to_string().contains("pool_max is 1"),
        "{full}"
    );
    tx.commit().await.unwrap();
    for _ in 0..20 {
        store.ping().await.unwrap();
        drop(store.begin().await.unwrap());
    }
}

/// A transaction whose future was dropped in the middle of a statement leaves nothing behind, neither in the database nor
/// in its connection.
#[tokio::test]
async fn a_cancelled_transaction_leaves_nothing() {
    let database = fresh().await;
    let options = MySqlOptions {
        pool_max: 2,
        ..database.options()
    };
    let store = Store::open(&Location::MySql(options)).await.unwrap();
    let mut holder = store.begin().await.unwrap();
    holder.put_heads(&[head("g:1"), head("g:2")]).await.unwrap();
    let cancelled = async {
        let mut tx = store.begin().await.unwrap();
        tx.put_heads(&[head("g:3")]).await.unwrap();
        tx.lock_conversation("g:1").await.unwrap();
    };
    let waiting = tokio::time::timeout(Duration::from_millis(100), cancelled).await;
    assert!(waiting.is_err(), "the row was not locked");
    holder.commit().await.unwrap();
    assert_eq!(store.conversation("g:3").await.unwrap(), None);
    let mut tx = store.begin().await.unwrap();
    let locked = tx.lock_conversations(&["g:1", "g:2", "g:3"]).await.unwrap();
    assert_eq!(locked.len(), 2);
}

/// A read that was given up before its answer came is not answered to somebody else.
#[tokio::test]
async fn a_cancelled_read_spoils_no_connection() {
    let database = fresh().await;
    let mut proxy = Proxy::to(database.options()).await;
    proxy.options.pool_max = 1;
    let store = Store::open(&Location::MySql(proxy.options.clone()))
        .await
        .unwrap();
    store.ping().await.unwrap();
    proxy.freeze(true);
    let given_up = tokio::time::timeout(Duration::from_millis(50), store.lease_counts()).await;
    assert!(given_up.is_err(), "there was no way for an answer");
    proxy.freeze(false);
    assert_eq!(store.install_setting("a", "b").await.unwrap(), "b");
    assert_eq!(store.conversation("g:1").await.unwrap(), None);
}

/// The store's own transactions run again when their connection is lost before the commit.
#[tokio::test]
async fn a_restart_costs_no_transaction() {
    let database = fresh().await;
    let store = Store::open(&database.location()).await.unwrap();
    for round in 1..=5 {
        assert_eq!(
            store.install_setting("x", "y").await.unwrap(),
            "y",
            "{round}"
        );
        assert!(database.cut_connections().await.unwrap() >= 1);
    }
}

/// A process that was stopped inside a transaction loses its locks by itself after five seconds, on MariaDB.
#[tokio::test]
async fn an_idle_transaction_is_ended() {
    let database = fresh().await;
    let store = Store::open(&database.location()).await.unwrap();
    if !store.durability().summary.starts_with("MariaDB") {
        return;
    }
    let mut tx = store.begin().await.unwrap();
    tx.put_heads(&[head("g:1")]).await.unwrap();
    tx.commit().await.unwrap();
    let mut idle = store.begin().await.unwrap();
    idle.lock_conversation("g:1").await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut tx = store.begin().await.unwrap();
        match tx.lock_conversation("g:1").await {
            Ok(_) => break,
            Err(error) => assert!(
                error.was_rolled_back() && Instant::now() < deadline,
                "{error}"
            ),
        }
    }
    let gone = idle.lock_conversation("g:1").await.unwrap_err();
    assert!(gone.was_rolled_back(), "{gone}");
}

/// A small row fits into a page that is there, a larger one needs a new page: what writes have met counts, too.
#[tokio::test]
async fn a_table_that_cannot_grow_is_told_by_the_write_check() {
    let database = fresh().await;
    let store = Store::open(&database.location()).await.unwrap();
    store.check_write().await.unwrap();
    let table = format!("`{}`.conversations", database.options().dbname);
    let full = format!(
        "CREATE TRIGGER `{}`.cannot_grow BEFORE INSERT ON {table} FOR EACH ROW \
         SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'the table is full'",
        database.options().dbname
    );
    database.run(&full).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let refused = tx.put_heads(&[head("g:1")]).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable(_)), "{refused}");
    // The proof from before may be a second old.
    let told = lingxi_testing::until_some("it is told", async || store.check_write().await.err());
    let told = told.await;
    assert!(told.to_string().contains("full"), "{told}");
    lingxi_testing::until("it passes", async || store.check_write().await.is_ok()).await;
}
