//! The room for what waits: a session's, and the process's.

use std::sync::Arc;

use lingxi_proto::bus::PushFrame;

use super::{queues, session_of};
use crate::ws::close::Close;
use crate::ws::room::make_room;
use crate::ws::session::Session;

const KIB: usize = 1024;

fn fill(session: &Session, bytes: usize) {
    session.push_plain(vec![b' '; bytes]);
}

#[test]
fn every_byte_that_waits_is_counted_and_comes_back() {
    let queues = queues(64 * KIB * KIB);
    let one = session_of(1, 1, &queues);
    // A live entry of a session that syncs waits for a round.
    one.push(
        PushFrame {
            json: vec![b' '; 7].into(),
            conversation: "g:1".into(),
            seq: 1,
        },
        None,
    );
    fill(&one, 300 * KIB);
    fill(&one, 5);
    assert_eq!(one.waiting_bytes(), 300 * KIB + 12);
    assert_eq!(one.take().unwrap().len(), 1, "not all at once");
    assert_eq!(one.waiting_bytes(), 300 * KIB + 12, "it is being written");
    assert_eq!(one.take().unwrap().len(), 1);
    assert_eq!(one.waiting_bytes(), 12);
    assert!(one.take().is_none());
    assert_eq!(one.waiting_bytes(), 7);
    assert!(!one.apply_round(Vec::new(), one.plan(&[], 1)));
    assert_eq!(one.waiting_bytes(), 7, "merged into the queue");
    one.gone();
    assert_eq!((one.waiting_bytes(), queues.held()), (0, 0));
    let two = session_of(2, 2, &queues);
    fill(&two, 10);
    drop(two);
    assert_eq!(queues.held(), 0);
}

#[test]
fn when_little_is_left_the_largest_queues_are_closed() {
    let queues = queues(1000 * KIB);
    let sessions: Vec<Arc<Session>> = (1..=5).map(|n| session_of(n, n, &queues)).collect();
    for (session, kib) in sessions.iter().zip([10, 300, 50, 400, 100]) {
        fill(session, kib * KIB);
    }
    make_room(&queues, &sessions);
    assert!(
        sessions.iter().all(|s| s.closing().is_none()),
        "860 of 1000"
    );
    fill(&sessions[0], 20 * KIB);
    make_room(&queues, &sessions);
    let closing: Vec<_> = sessions.iter().map(|s| s.closing()).collect();
    let too_slow = Some(Close::TooSlow);
    assert_eq!(closing, [None, None, None, too_slow, None]);
    assert_eq!(queues.held(), 480 * KIB, "its bytes are back at once");
    assert!(sessions[3].take().is_none());
    fill(&sessions[3], 10);
    assert_eq!(
        queues.held(),
        480 * KIB,
        "nothing is queued for it any more"
    );
}

#[test]
fn no_more_than_there_is_and_others_bytes_close_nobody() {
    let budget = lingxi_runtime::budget::Budget::new(1000 * KIB);
    let queues = crate::ws::queues::Queues::new(budget.clone());
    let bodies = budget.take(900 * KIB).unwrap();
    let (one, two) = (session_of(1, 1, &queues), session_of(2, 2, &queues));
    fill(&one, 60 * KIB);
    fill(&two, 30 * KIB);
    make_room(&queues, &[one.clone(), two.clone()]);
    assert_eq!((one.closing(), two.closing()), (None, None));
    fill(&two, 30 * KIB);
    assert_eq!(
        two.closing(),
        Some(Close::TooSlow),
        "there is no room at all"
    );
    assert_eq!(one.closing(), None);
    drop(bodies);
}
