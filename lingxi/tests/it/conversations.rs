//! The one list of conversations.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::harness::{Mode, User, Ws, until};

behaviours!(
    private_and_group_in_one_list,
    the_list_pages,
    nobody_elses_conversations,
);

async fn list(user: &User, query: &str) -> Vec<Value> {
    let list = user
        .get(&format!("message/conversations{query}"))
        .await
        .ok();
    list["conversations"]
        .as_array()
        .expect("conversations")
        .clone()
}

async fn say(ws: &mut Ws, to: &str, text: &str) {
    ws.say(to, text, text).await;
    ws.stored(text).await;
}

/// Milliseconds.
fn now() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_millis()
}

async fn private_and_group_in_one_list(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let (mut a, mut b, mut c) = (
        alice.connect().await,
        bob.connect().await,
        carol.connect().await,
    );
    assert!(list(&alice, "").await.is_empty());
    let group = bob.create_group("Rustaceans").await;
    alice.join(group).await.ok();

    say(&mut b, "alice", "one").await;
    b.say_in(group, "two", "two").await;
    b.stored("two").await;
    say(&mut c, "alice", "three").await;
    let rows = list(&alice, "").await;
    let contents: Vec<_> = rows
        .iter()
        .map(|row| row["last_message"]["content"].clone())
        .collect();
    assert_eq!(contents, ["three", "two", "one"], "newest first: {rows:#?}");

    assert_eq!(
        (&rows[0]["type"], &rows[0]["username"]),
        (&json!("private"), &json!("carol"))
    );
    assert_eq!(rows[0]["nickname"], "carol");
    assert_eq!(
        (&rows[1]["type"], &rows[1]["group_id"]),
        (&json!("group"), &json!(group))
    );
    assert_eq!(rows[1]["name"], "Rustaceans");
    assert_eq!(rows[2]["username"], "bob");
    for row in &rows {
        assert_eq!(row["unread"], 1, "{row}");
        assert_eq!(row["last_seq"], row["last_message"]["seq"], "{row}");
        assert!(
            row["last_time"].as_u64() >= row["last_message"]["created_at"].as_u64(),
            "{row}"
        );
        assert_eq!(row["last_message"]["conversation"], row["conversation"]);
    }
    assert!(
        rows.windows(2)
            .all(|two| two[0]["last_time"].as_u64() >= two[1]["last_time"].as_u64())
    );

    // A new message moves its conversation to the top; the writer's own side is read.
    say(&mut a, "bob", "four").await;
    let rows = list(&alice, "").await;
    assert_eq!(rows[0]["last_message"]["content"], "four");
    assert_eq!(rows[0]["username"], "bob");
    let others = list(&bob, "").await;
    assert_eq!(others[0]["username"], "alice");
    assert_eq!(others[0]["unread"], 1);
}

async fn the_list_pages(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut a = alice.connect().await;
    for number in 0..5 {
        let name = format!("user{number}");
        lx.user(&name).await;
        say(&mut a, &name, &format!("to {name}")).await;
        // Pages are cut by milliseconds: no two rows may share one here.
        let at = now();
        until("the clock moves on", async || now() > at).await;
    }
    let whole = list(&alice, "").await;
    assert_eq!(whole.len(), 5);
    let mut paged: Vec<Value> = list(&alice, "?limit=2").await;
    assert_eq!(paged.len(), 2);
    while paged.len() < 5 {
        let before = paged.last().expect("a row")["last_time"].clone();
        let page = list(&alice, &format!("?limit=2&before={before}")).await;
        assert!(!page.is_empty() && page.len() <= 2);
        paged.extend(page);
    }
    assert_eq!(paged, whole);
}

async fn nobody_elses_conversations(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, eve) = (
        lx.user("alice").await,
        lx.user("bob").await,
        lx.user("eve").await,
    );
    let mut a = alice.connect().await;
    say(&mut a, "bob", "private").await;
    assert!(list(&eve, "").await.is_empty());
    assert_eq!(list(&bob, "").await.len(), 1);
    lx.anonymous()
        .get("message/conversations")
        .await
        .fails(401, "unauthorized");
}
