//! What the database takes back because others were in the way is done again before a user hears of it.

use serde_json::json;

use crate::harness::database::{self, Session};
use crate::harness::{Mode, until};

#[tokio::test]
async fn a_join_that_was_a_deadlocks_victim_is_done_again() {
    let lx = Mode::Cluster.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let made = alice
        .post("group/create", json!({"name": "busy"}))
        .await
        .ok();
    let group = json!({"group_id": made["id"]});
    bob.post("group/join", group.clone()).await.ok();
    bob.post("group/leave", group.clone()).await.ok();
    let conversation = made["conversation"].as_str().expect("a key");

    // It holds bob's row, and so much more that it is not the one to be taken back.
    let url = &lx.backends.as_ref().expect("a cluster").database_url;
    let mut session = Session::open(url);
    session.run("BEGIN; INSERT INTO settings (name, value) SELECT CONCAT('burden ', seq), 0 FROM seq_1_to_500");
    session.run(&format!(
        "SELECT user_id FROM members WHERE conversation = '{conversation}' AND left_seq IS NOT NULL FOR UPDATE"
    ));
    let joining = bob.post("group/join", group.clone());
    let in_each_others_way = async {
        until("the join waits for the member's row", async || {
            database::lock_waits(url) > 0
        })
        .await;
        // The join's own lock: given only when the join is taken back.
        session.run(&format!(
            "SELECT last_seq FROM conversations WHERE conversation = '{conversation}' FOR UPDATE"
        ));
        session.run("ROLLBACK");
    };
    let (joined, ()) = tokio::join!(joining, in_each_others_way);
    joined.ok();
    let log = database::query(
        url,
        &format!("SELECT seq FROM entries WHERE conversation = '{conversation}' ORDER BY seq"),
    );
    let log: Vec<&str> = log.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(log, ["1", "2", "3", "4"], "it is done once");
}
