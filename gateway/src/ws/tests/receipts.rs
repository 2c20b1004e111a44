use super::*;
use crate::ws::receipts;

const TALK: &str = "d:1:2";

/// Takes what waits, to the end.
async fn settle(w: &mut World) {
    let received = std::mem::replace(&mut w.received, Receipts::new().1);
    let stop = w.state.stopping.clone();
    stop.cancel();
    receipts::run(w.state.clone(), received, stop).await;
}

async fn read_seq(w: &World, user: UserId) -> Seq {
    let member = w.state.store.member(TALK, user).await.unwrap();
    member.unwrap().read_seq
}

#[tokio::test]
async fn the_farthest_receipt_of_a_member_counts_and_what_waits_at_the_end_is_kept() {
    let mut w = World::new().await;
    w.log(TALK, &[(ALICE, 1), (BOB, 1)], 9, 10).await;
    let (alice, phone, bob) = (session(ALICE), session(ALICE), session(BOB));
    for (session, seq) in [(&alice, 3), (&phone, 5), (&alice, 4), (&bob, 99)] {
        receipts::take(&w.state, session, TALK, seq, true).await;
    }
    settle(&mut w).await;
    assert_eq!(read_seq(&w, ALICE).await, 5);
    assert_eq!(read_seq(&w, BOB).await, 9);
    for session in [alice, phone, bob] {
        assert!(waiting(&session).is_empty(), "nothing was refused");
    }
}

#[tokio::test]
async fn a_refused_receipt_is_told_to_its_senders_alone() {
    let mut w = World::new().await;
    w.log(TALK, &[(ALICE, 1), (BOB, 1)], 9, 10).await;
    let (alice, eve) = (session(ALICE), session(7));
    receipts::take(&w.state, &eve, TALK, 3, true).await;
    receipts::take(&w.state, &alice, TALK, 3, true).await;
    settle(&mut w).await;
    assert_eq!(read_seq(&w, ALICE).await, 3);
    assert!(waiting(&alice).is_empty());
    let told = waiting(&eve);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["status"], &told[0]["reason"]),
        (&"failed".into(), &"forbidden".into())
    );
}

#[tokio::test]
async fn more_receipts_than_can_wait_are_refused_not_dropped() {
    let mut w = World::new().await;
    w.log(TALK, &[(ALICE, 1), (BOB, 1)], 9, 10).await;
    let (alice, bob) = (session(ALICE), session(BOB));
    let mut taken = 0;
    while !bob.has_waiting() {
        receipts::take(&w.state, &alice, TALK, 3, true).await;
        receipts::take(&w.state, &bob, TALK, 3, true).await;
        taken += 1;
        assert!(taken < 100_000, "it has a bound");
    }
    assert_eq!(waiting(&bob)[0]["reason"], "unavailable");
    settle(&mut w).await;
    assert_eq!(read_seq(&w, ALICE).await, 3);
}
