//! Too much of something: refused, and said so.

use std::collections::BTreeSet;

use crate::harness::Mode;

behaviours!(a_flood_is_answered_to_the_last_message);

async fn a_flood_is_answered_to_the_last_message(mode: Mode) {
    const COUNT: usize = 2000;
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    for number in 0..COUNT {
        a.say("bob", &format!("m{number}"), "spam").await;
    }
    let (mut stored, mut refused) = (BTreeSet::new(), 0);
    for number in 0..COUNT {
        let ack = a.ack(&format!("m{number}")).await;
        if ack["status"] == "failed" {
            assert_eq!(ack["reason"], "rate_limited", "{ack}");
            refused += 1;
        } else {
            stored.insert(ack["seq"].as_u64().expect("seq"));
        }
    }
    println!("{} stored, {refused} refused", stored.len());
    assert!(refused > 0, "there is no limit");
    assert!(!stored.is_empty(), "nothing got through");
    assert!(
        stored.iter().copied().eq(1..=stored.len() as u64),
        "refusals leave no holes"
    );
    assert_eq!(bob.log("username=alice").await.len(), stored.len());
    // Each user has a bucket of their own.
    let mut b = bob.connect().await;
    b.say("alice", "m1", "slowly").await;
    b.stored("m1").await;
}
