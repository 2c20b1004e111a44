//! Reading back what was said.

use serde_json::{Value, json};

use crate::harness::{Deployment, Mode, User};

behaviours!(
    pages_cover_everything_once,
    only_the_two_of_them_read_it,
    a_conversation_that_never_was,
    a_page_ends_at_a_mebibyte,
);

async fn forty(mode: Mode) -> (Deployment, User, User) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    for number in 1..=40 {
        a.say("bob", &format!("m{number}"), &format!("{number}"))
            .await;
    }
    for number in 1..=40 {
        a.stored(&format!("m{number}")).await;
    }
    (lx, alice, bob)
}

/// The seqs of a page, and whether there is more.
async fn page(user: &User, query: &str) -> (Vec<u64>, bool) {
    let page = user.get(&format!("message/history?{query}")).await.ok();
    let messages = page["messages"].as_array().expect("messages");
    let seqs = messages
        .iter()
        .map(|message| message["seq"].as_u64().expect("seq"));
    (
        seqs.collect(),
        page["has_more"].as_bool().expect("has_more"),
    )
}

fn range(from: u64, to: u64) -> Vec<u64> {
    (from..=to).collect()
}

async fn pages_cover_everything_once(mode: Mode) {
    let (_lx, alice, bob) = forty(mode).await;
    assert_eq!(page(&alice, "username=bob").await, (range(1, 40), false));
    assert_eq!(page(&bob, "username=alice").await, (range(1, 40), false));
    // The newest page, still oldest first; then backwards.
    assert_eq!(
        page(&alice, "username=bob&limit=15").await,
        (range(26, 40), true)
    );
    assert_eq!(
        page(&alice, "username=bob&limit=15&before=26").await,
        (range(11, 25), true)
    );
    assert_eq!(
        page(&alice, "username=bob&limit=15&before=11").await,
        (range(1, 10), false)
    );
    assert_eq!(page(&alice, "username=bob&before=1").await, (vec![], false));
    // Forwards.
    assert_eq!(
        page(&alice, "username=bob&limit=15&after=0").await,
        (range(1, 15), true)
    );
    assert_eq!(
        page(&alice, "username=bob&limit=25&after=15").await,
        (range(16, 40), false)
    );
    assert_eq!(page(&alice, "username=bob&after=40").await, (vec![], false));
    assert_eq!(
        page(&alice, "username=bob&after=99999").await,
        (vec![], false)
    );
    let reply = alice.get("message/history?username=bob&limit=1000").await;
    assert!(reply.status == 200 || reply.status == 400, "{reply:?}");

    let message = &alice.history("username=bob&limit=1").await[0];
    assert_eq!((&message["type"], &message["seq"]), (&json!(2), &json!(40)));
    assert_eq!(
        (&message["from"], &message["to"]),
        (&json!("alice"), &json!("bob"))
    );
    assert_eq!(
        (&message["msg_id"], &message["content"]),
        (&json!("m40"), &json!("40"))
    );
    assert!(
        message["id"].is_u64()
            && message["created_at"].is_u64()
            && message["conversation"].is_string()
    );
    assert!(
        message
            .get("recalled")
            .is_none_or(|recalled| recalled == false)
    );
}

async fn only_the_two_of_them_read_it(mode: Mode) {
    let (lx, _alice, _bob) = forty(mode).await;
    let eve = lx.user("eve").await;
    // Her history with each of them is her own, and empty.
    for name in ["alice", "bob"] {
        assert!(eve.history(&format!("username={name}")).await.is_empty());
    }
    // There is no way to name somebody else's conversation.
    let reply = eve
        .get("message/history?username=alice&conversation=d:1:2&group_id=")
        .await;
    let read = reply.body["messages"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert_eq!(read, Vec::<Value>::new());
    let anonymous = lx.anonymous();
    anonymous
        .get("message/history?username=bob")
        .await
        .fails(401, "unauthorized");
}

async fn a_conversation_that_never_was(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    lx.user("bob").await;
    assert_eq!(page(&alice, "username=bob").await, (vec![], false));
    assert_eq!(
        page(&alice, "username=bob&entries=all&after=0").await,
        (vec![], false)
    );
    assert_eq!(page(&alice, "username=alice").await, (vec![], false));
    assert!(alice.get("message/conversations").await.ok()["conversations"] == json!([]));
}

async fn a_page_ends_at_a_mebibyte(mode: Mode) {
    const COUNT: usize = 90;
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    // Each is two when it is written as JSON.
    let content = "\"".repeat(8_000);
    for number in 0..COUNT {
        a.say("bob", &format!("m{number}"), &content).await;
        a.stored(&format!("m{number}")).await;
    }
    for direction in ["", "&after=0"] {
        let path = format!("message/history?username=alice&limit=200{direction}");
        let request = bob.rest.request(reqwest::Method::GET, &path);
        let answer = request.send().await.expect("an answer");
        let body = answer.bytes().await.expect("a body");
        assert!(body.len() <= 1024 * 1024 + 64, "{} bytes", body.len());
        let page: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(page["has_more"], true);
        let got = page["messages"].as_array().map_or(0, Vec::len);
        assert!(got > 60 && got < COUNT, "{got}");
    }
    assert_eq!(bob.log("username=alice").await.len(), COUNT);
}
