//! One connection a user, or many.

use crate::harness::{Mode, Ws, until_some};

behaviours!(
    a_newer_connection_closes_the_older,
    of_many_at_once_one_stays,
    many_connections_by_policy,
);

async fn a_newer_connection_closes_the_older(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    let mut old = bob.connect().await;
    old.alive().await;
    let elsewhere = bob.again().await;
    let mut new = elsewhere.connect().await;
    let event = old.event("kicked").await;
    assert!(
        event["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty()),
        "{event}"
    );
    assert_eq!(old.closed().await.code, Some(4002));
    // The newer one has it all now, and stays. A login alone closes nothing.
    bob.again().await;
    new.alive().await;
    a.say("bob", "m1", "which one?").await;
    assert_eq!(a.ack("m1").await["status"], "delivered");
    new.message("which one?").await;
    assert!(old.drain().iter().all(|frame| frame["type"] != 2));
    new.say("alice", "m2", "this one").await;
    a.message("this one").await;
    // Closing the old one did not unregister the new one.
    drop(old);
    a.say("bob", "m3", "still?").await;
    assert_eq!(a.ack("m3").await["status"], "delivered");
    new.message("still?").await;
    assert!(new.drain().iter().all(|frame| frame["event"] != "kicked"));
}

async fn of_many_at_once_one_stays(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    let link = bob.link();
    let opening = (0..12).map(|_| Ws::open(&link));
    let mut sockets = futures_util::future::join_all(opening).await;
    // Eleven are told to go; the one that is left is the one that hears.
    let mut left = until_some("one connection is left", || {
        let mut open = Vec::new();
        for mut ws in sockets.drain(..) {
            let frames = ws.drain();
            if frames.iter().all(|frame| frame["event"] != "kicked") {
                open.push(ws);
            }
        }
        sockets = open;
        let one = (sockets.len() == 1).then(|| sockets.remove(0));
        assert!(
            one.is_some() || !sockets.is_empty(),
            "all of them were kicked"
        );
        async { one }
    })
    .await;
    left.alive().await;
    a.say("bob", "m1", "who is it?").await;
    assert_eq!(a.ack("m1").await["status"], "delivered");
    left.message("who is it?").await;
    left.alive().await;
}

async fn many_connections_by_policy(mode: Mode) {
    let lx = mode.with("LINGXI__SESSIONS__POLICY", "multi").start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut phone, mut desk) = (alice.connect().await, alice.connect().await);
    let mut b = bob.connect().await;
    phone.say("bob", "m1", "from my phone").await;
    phone.stored("m1").await;
    for ws in [&mut phone, &mut desk, &mut b] {
        ws.message("from my phone").await;
    }
    b.say("alice", "m2", "to all of you").await;
    b.stored("m2").await;
    phone.message("to all of you").await;
    desk.message("to all of you").await;
    // One leaving does not end the other.
    phone.close().await;
    desk.alive().await;
    b.say("alice", "m3", "and now?").await;
    assert_eq!(b.ack("m3").await["status"], "delivered");
    desk.message("and now?").await;
    assert!(desk.drain().iter().all(|frame| frame["event"] != "kicked"));
    // The reader's own other devices hear what was read.
    let mut phone = alice.connect().await;
    let key = phone.message("and now?").await["conversation"].clone();
    phone
        .send(serde_json::json!({"type": 8, "conversation": key, "seq": 3, "kind": "read"}))
        .await;
    assert_eq!(desk.event("read").await["seq"], 3);
}
