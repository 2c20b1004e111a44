//! A statement that takes too long is no outage: whoever has nothing to do with it is served.

use crate::harness::database::{self, Session};
use crate::harness::{Kind, Mode};

/// Somebody keeps the row of one conversation, longer than the database lets a statement take.
#[tokio::test]
async fn a_message_that_takes_too_long_does_not_hold_up_the_others() {
    let lx = Mode::Cluster
        .options()
        .own_servers()
        // One worker, so that all messages are of one batch.
        .roles(&["gateway", "chat-worker", "ai-worker"])
        .start()
        .await;
    assert_eq!(lx.server(Kind::MariaDb).kind, Kind::MariaDb);
    let url = lx
        .backends
        .as_ref()
        .expect("a cluster")
        .database_url
        .clone();
    let (alice, bob, carol) = lx.three().await;
    let mut a = alice.connect().await;
    let mut c = carol.connect().await;
    a.say("bob", "m1", "begun").await;
    let conversation = a.message("begun").await["conversation"].clone();
    let key = conversation.as_str().expect("a key");
    a.stored("m1").await;

    let mut keeper = Session::open(&url);
    keeper.run("SET SESSION idle_transaction_timeout = 0");
    keeper.run("BEGIN");
    keeper.run(&format!(
        "SELECT last_seq FROM conversations WHERE conversation = '{key}' FOR UPDATE"
    ));
    // New sessions would have it anyway; the worker's is told by ending its connection.
    database::query(&url, "SET GLOBAL max_statement_time = 1");
    for id in database::query(
        &url,
        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND command = 'Sleep' \
         AND id NOT IN (SELECT trx_mysql_thread_id FROM information_schema.innodb_trx)",
    ) {
        let _ = database::try_query(&url, &format!("KILL {}", id[0])).await;
    }
    a.say("bob", "stuck", "waits").await;
    for n in 0..20 {
        c.say("bob", &format!("c{n}"), "goes on").await;
    }
    for n in 0..20 {
        c.stored(&format!("c{n}")).await;
    }
    a.refused("stuck", "unavailable").await;
    drop(keeper);
    a.say("bob", "stuck", "waits").await;
    a.stored("stuck").await;
    assert_eq!(bob.history("username=alice").await.len(), 2);
}
