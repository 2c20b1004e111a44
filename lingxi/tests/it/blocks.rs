//! Whom one blocks: no message, no invitation, no presence; everything else goes on.

use serde_json::{Value, json};

use crate::harness::database::{self, Session};
use crate::harness::{Mode, Reply, User, until};

behaviours!(
    a_blocked_users_messages_are_refused,
    who_never_talked_can_be_blocked,
    a_blocked_user_neither_invites_nor_sees,
    the_list_of_the_blocked,
);

async fn block(user: &User, name: &str) -> Reply {
    user.post("contact/block", json!({"username": name})).await
}

async fn unblock(user: &User, name: &str) -> Reply {
    user.post("contact/unblock", json!({"username": name}))
        .await
}

async fn blocked(user: &User, query: &str) -> (Vec<String>, Value) {
    let reply = user.get(&format!("contact/blocked{query}")).await.ok();
    let rows = reply["blocked"].as_array().expect("blocked");
    let names = rows
        .iter()
        .map(|row| row["username"].as_str().expect("a name").to_owned());
    (names.collect(), reply["has_more"].clone())
}

async fn a_blocked_users_messages_are_refused(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    b.say("alice", "m1", "hello").await;
    b.stored("m1").await;
    a.message("hello").await;
    assert_eq!(block(&alice, "BOB").await.ok()["message"], "user blocked");
    block(&alice, "bob").await.ok();
    b.say("alice", "m2", "hello?").await;
    b.refused("m2", "blocked").await;
    // A repeat of what was taken before is still answered as before.
    b.say("alice", "m1", "hello").await;
    b.stored("m1").await;
    // The other way nothing changes, and what was said stays.
    a.say("bob", "a1", "leave me").await;
    a.stored("a1").await;
    b.message("leave me").await;
    assert_eq!(bob.history("username=alice").await.len(), 2);

    assert_eq!(
        unblock(&alice, "bob").await.ok()["message"],
        "user unblocked"
    );
    unblock(&alice, "bob").await.ok();
    b.say("alice", "m2", "hello?").await;
    b.stored("m2").await;
    a.message("hello?").await;
    // Both sides, and the talk with oneself is nobody else's.
    block(&alice, "bob").await.ok();
    block(&bob, "alice").await.ok();
    a.say("bob", "a2", "x").await;
    a.refused("a2", "blocked").await;
    unblock(&bob, "alice").await.ok();
    a.say("bob", "a2", "x").await;
    a.stored("a2").await;
    b.say("alice", "m3", "x").await;
    b.refused("m3", "blocked").await;
    a.say("alice", "a3", "a note").await;
    a.stored("a3").await;
}

async fn who_never_talked_can_be_blocked(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    block(&alice, "bob").await.ok();
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    b.say("alice", "m1", "hello").await;
    b.refused("m1", "blocked").await;
    for user in [&alice, &bob] {
        let list = user.get("message/conversations").await.ok();
        assert_eq!(list["conversations"], json!([]), "nothing has begun");
    }
    unblock(&alice, "bob").await.ok();
    b.say("alice", "m1", "hello").await;
    assert_eq!(b.stored("m1").await.1, 1, "the first place");
    a.message("hello").await;
    for (user, peer) in [(&alice, "bob"), (&bob, "alice")] {
        let list = user.get("message/conversations").await.ok();
        assert_eq!(list["conversations"][0]["username"], peer);
        assert_eq!(user.history(&format!("username={peer}")).await.len(), 1);
    }
    block(&alice, "alice").await.fails(400, "invalid_request");
    block(&alice, "nobody").await.fails(404, "user_not_found");
    unblock(&alice, "nobody").await.fails(404, "user_not_found");
}

async fn a_blocked_user_neither_invites_nor_sees(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = bob.create_group("g").await;
    bob.post("contact/add", json!({"username": "alice"}))
        .await
        .ok();
    alice
        .post("contact/add", json!({"username": "bob"}))
        .await
        .ok();
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let online = async |user: &User| {
        let list = user.get("contact/list").await.ok();
        list["contacts"][0]["online"].as_bool().expect("online")
    };
    until("both are seen", async || {
        online(&alice).await && online(&bob).await
    })
    .await;
    b.send(json!({"type": 9, "to": "alice"})).await;
    a.expect("typing", |frame| frame["type"] == 9).await;

    block(&alice, "bob").await.ok();
    bob.invite(group, "alice").await.fails(403, "blocked");
    assert!(!online(&bob).await, "the blocked one does not see her");
    assert!(online(&alice).await, "she sees him");
    // Typing is not answered: what comes behind it says that it was not shown. It would be due after three seconds, in
    // a conversation of another key at once.
    let dave = lx.user("dave").await;
    block(&alice, "dave").await.ok();
    let mut d = dave.connect().await;
    d.send(json!({"type": 9, "to": "alice"})).await;
    d.alive().await;
    // Nor does he see that she types.
    a.send(json!({"type": 9, "to": "dave"})).await;
    a.alive().await;
    d.say("dave", "d1", "a note").await;
    d.stored("d1").await;
    let seen = d.drain();
    assert!(seen.iter().all(|frame| frame["type"] != 9), "{seen:?}");
    a.say("alice", "a1", "a note").await;
    a.stored("a1").await;
    let seen = a.drain();
    assert!(seen.iter().all(|frame| frame["type"] != 9), "{seen:?}");
    // In a group both are in, everything is as it was.
    alice.join(group).await.ok();
    b.say_in(group, "m1", "hi all").await;
    b.stored("m1").await;
    a.message("hi all").await;
    unblock(&alice, "bob").await.ok();
    assert!(online(&bob).await);
}

async fn the_list_of_the_blocked(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    assert_eq!(blocked(&alice, "").await, (vec![], json!(false)));
    for name in ["carol", "bob", "dave"] {
        lx.user(name).await;
        block(&alice, name).await.ok();
    }
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        blocked(&alice, "").await,
        (names(&["bob", "carol", "dave"]), json!(false))
    );
    assert_eq!(
        blocked(&alice, "?limit=2").await,
        (names(&["bob", "carol"]), json!(true))
    );
    assert_eq!(
        blocked(&alice, "?limit=2&after=CAROL").await,
        (names(&["dave"]), json!(false))
    );
    unblock(&alice, "carol").await.ok();
    assert_eq!(blocked(&alice, "").await.0, names(&["bob", "dave"]));
}

/// A block that is answered holds for every message that is committed later, the first one of a conversation too: while that
/// one is judged, its conversation is locked although there was none.
#[tokio::test]
async fn a_block_is_not_passed_by_the_first_message() {
    let lx = Mode::Cluster.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut b = bob.connect().await;
    let url = &lx.backends.as_ref().expect("a cluster").database_url;
    // Repeats are looked for behind the lock, and cannot be.
    let mut session = Session::open(url);
    session.run("LOCK TABLES entries WRITE");
    b.say("alice", "m1", "hello").await;
    let waits = "SELECT 1 FROM information_schema.processlist \
                 WHERE db = DATABASE() AND state = 'Waiting for table metadata lock'";
    until("the message is being judged", async || {
        !database::query(url, waits).is_empty()
    })
    .await;
    let blocked = block(&alice, "bob");
    tokio::pin!(blocked);
    tokio::select! {
        reply = &mut blocked => panic!("answered while the message is judged: {reply:?}"),
        () = until("the block waits", async || database::lock_waits(url) > 0) => {}
    }
    session.run("UNLOCK TABLES");
    blocked.await.ok();
    b.stored("m1").await;
    b.say("alice", "m2", "hello?").await;
    b.refused("m2", "blocked").await;
}
