//! One's list of contacts.

use serde_json::{Value, json};

use crate::harness::{Mode, User, until};

behaviours!(
    contacts_are_added_and_deleted,
    contacts_that_cannot_be,
    a_remark_changes,
    a_contact_is_seen_online,
);

async fn list(user: &User) -> Vec<Value> {
    let list = user.get("contact/list").await.ok();
    list["contacts"].as_array().expect("contacts").clone()
}

async fn contacts_are_added_and_deleted(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    assert!(list(&alice).await.is_empty());

    let body = json!({"username": "BOB", "remark": "the builder"});
    assert_eq!(
        alice.post("contact/add", body).await.ok()["message"],
        "contact added"
    );
    let contacts = list(&alice).await;
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0]["username"], "bob");
    assert_eq!(contacts[0]["id"], bob.id);
    assert_eq!(contacts[0]["remark"], "the builder");
    assert_eq!(contacts[0]["online"], false);
    assert!(list(&bob).await.is_empty(), "it is alice's list only");

    // Again: another remark, not another contact.
    let body = json!({"username": "bob", "remark": "bobby"});
    alice.post("contact/add", body).await.ok();
    let contacts = list(&alice).await;
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0]["remark"], "bobby");

    let body = json!({"username": "bob"});
    let deleted = alice.post("contact/delete", body.clone()).await.ok();
    assert_eq!(deleted["message"], "contact deleted");
    assert!(list(&alice).await.is_empty());
    alice
        .post("contact/delete", body)
        .await
        .fails(404, "contact_not_found");
}

async fn contacts_that_cannot_be(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let add = async |name: &str| alice.post("contact/add", json!({"username": name})).await;
    add("nobody").await.fails(404, "user_not_found");
    add("alice").await.fails(400, "invalid_request");
    assert!(list(&alice).await.is_empty());
    let anonymous = lx.anonymous();
    anonymous
        .get("contact/list")
        .await
        .fails(401, "unauthorized");
    let body = json!({"username": "alice"});
    anonymous
        .post("contact/add", body)
        .await
        .fails(401, "unauthorized");
}

async fn a_contact_is_seen_online(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    alice
        .post("contact/add", json!({"username": "bob"}))
        .await
        .ok();
    let ws = bob.connect().await;
    until("bob is online", async || {
        list(&alice).await[0]["online"] == true
    })
    .await;
    ws.close().await;
    until("bob is offline", async || {
        list(&alice).await[0]["online"] == false
    })
    .await;
}

async fn a_remark_changes(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let remark = async |name: &str, remark: &str| {
        let body = json!({"username": name, "remark": remark});
        alice.put("contact/remark", body).await
    };
    remark("bob", "x").await.fails(404, "contact_not_found");
    remark("nobody", "x").await.fails(404, "user_not_found");
    alice
        .post("contact/add", json!({"username": "bob"}))
        .await
        .ok();
    let changed = remark("BOB", " 老板 ").await.ok();
    assert_eq!(changed["remark"], "老板");
    assert_eq!(list(&alice).await, [changed]);
    remark("bob", "two\nlines").await.blames("remark");
    alice
        .put("contact/remark", json!({"username": "bob"}))
        .await
        .blames("remark");
    remark("bob", "").await.ok();
    assert_eq!(list(&alice).await[0]["remark"], "");
    assert!(list(&bob).await.is_empty(), "it is alice's list only");
    let anonymous = lx.anonymous();
    let body = json!({"username": "bob", "remark": "x"});
    anonymous
        .put("contact/remark", body)
        .await
        .fails(401, "unauthorized");
}
