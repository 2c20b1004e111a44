use super::*;
use crate::ws::receipts;

/// A client's receipt; one that is refused at once is told so, as its command does.
fn take(w: &World, session: &Arc<Session>, key: &str, seq: Seq) {
    if !w.state.receipts.add(session, key.parse().unwrap(), seq) {
        session.push_plain(lingxi_domain::frame::server::failed(
            "",
            lingxi_domain::ErrorCode::Unavailable,
            "",
        ));
    }
}

const TALK: &str = "d:1:2";

/// Commits what waits, as at the end.
async fn settle(w: &World) {
    let stop = w.state.stopping.clone();
    stop.cancel();
    receipts::run(w.state.receipts.clone(), w.state.im.clone(), stop).await;
}

fn reasons(session: &Session) -> Vec<String> {
    let frames = waiting(session);
    let reason = |frame: &Value| frame["reason"].as_str().unwrap_or_default().to_owned();
    frames.iter().map(reason).collect()
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
        take(&w, session, TALK, seq);
    }
    settle(&w).await;
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
    take(&w, &eve, TALK, 3);
    take(&w, &alice, TALK, 3);
    settle(&w).await;
    assert_eq!(read_seq(&w, ALICE).await, 3);
    assert!(waiting(&alice).is_empty());
    assert_eq!(reasons(&eve), ["forbidden"]);
}

#[tokio::test]
async fn more_cursors_than_can_wait_are_refused_not_dropped() {
    let mut w = World::new().await;
    w.log(TALK, &[(ALICE, 1), (BOB, 1)], 9, 10).await;
    let (alice, bob) = (session(ALICE), session(BOB));
    take(&w, &alice, TALK, 3);
    let mut strangers = Vec::new();
    let refused = loop {
        let eve = session(1000 + strangers.len() as i64);
        take(&w, &eve, TALK, 3);
        if eve.has_waiting() {
            break eve;
        }
        strangers.push(eve);
        assert!(strangers.len() < 100_000, "it has a bound");
    };
    assert_eq!(reasons(&refused), ["unavailable"]);
    take(&w, &alice, TALK, 4);
    assert_eq!(reasons(&alice), [""; 0], "it waits already");
    settle(&w).await;
    assert_eq!(read_seq(&w, ALICE).await, 4);
    for eve in strangers {
        assert_eq!(reasons(&eve), ["forbidden"]);
    }
    take(&w, &bob, TALK, 4);
    assert_eq!(reasons(&bob), ["unavailable"], "nobody would commit it");
}

#[tokio::test]
async fn when_the_store_fails_everybody_is_told_once() {
    let mut w = World::new().await;
    w.log(TALK, &[(ALICE, 1), (BOB, 1)], 9, 10).await;
    let (alice, phone, bob) = (session(ALICE), session(ALICE), session(BOB));
    for session in [&alice, &phone, &alice, &bob] {
        take(&w, session, TALK, 3);
    }
    w.state.store.close().await;
    settle(&w).await;
    for session in [alice, phone, bob] {
        assert_eq!(reasons(&session), ["unavailable"]);
    }
}
