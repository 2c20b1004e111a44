//! MariaDB and MySQL keep the promises of every database, on a real server; and what only a server can do to us.

mod bounded;
mod opening;
mod owners;
mod proxy;

use lingxi_store::Store;
use lingxi_store::conformance::mysql::fresh;

#[tokio::test]
async fn conforms() {
    let database = fresh().await;
    let location = database.location();
    lingxi_store::conformance::run(async || Store::open(&location).await.unwrap()).await;
}
