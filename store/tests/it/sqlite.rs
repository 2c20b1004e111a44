//! SQLite keeps the promises of every database.

use lingxi_store::{Location, Store};

#[tokio::test]
async fn conforms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lingxi.db");
    lingxi_store::conformance::run(async || {
        Store::open(&Location::Sqlite(path.clone())).await.unwrap()
    })
    .await;
}

/// The setting that an ACK relies on is read back at the start: a file whose journal cannot be a write-ahead log is
/// refused, with what to do.
#[tokio::test]
async fn a_database_without_durability_is_refused() {
    let refused = Store::open(&Location::Sqlite(":memory:".into())).await;
    let Err(lingxi_store::Error::Setup(message)) = refused else {
        panic!("opened without a write-ahead log")
    };
    assert!(message.contains("journal_mode=memory"), "{message}");
}
