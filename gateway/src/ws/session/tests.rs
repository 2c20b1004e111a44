//! What reaches a socket, whatever the order in which it comes.

use std::sync::Arc;

use lingxi_proto::bus::PushFrame;
use lingxi_store::UserHead;

use super::Session;
use super::waiting::Outgoing;
use super::watermarks::MOST;

const KEY: &str = "d:1:2";

fn session() -> Arc<Session> {
    crate::ws::tests::session(1)
}

fn frame(seq: i64, bytes: usize) -> PushFrame {
    PushFrame::entry(vec![b'x'; bytes], KEY, seq)
}

fn heads(delivered_seq: i64, last_seq: i64) -> Vec<UserHead> {
    vec![UserHead {
        user_id: 1,
        conversation: KEY.into(),
        delivered_seq,
        last_seq,
        left: false,
    }]
}

fn seqs(session: &Session) -> Vec<i64> {
    let entry = |o: &Outgoing| o.entry.as_ref().map(|(_, seq)| *seq);
    std::iter::from_fn(|| session.take())
        .flatten()
        .filter_map(|o| entry(&o))
        .collect()
}

/// Applies one round of the plan for these heads, each entry of that many bytes; returns true if another is due at once.
fn round(session: &Session, heads: &[UserHead], bytes: usize) -> bool {
    let plan = session.plan(heads, 200);
    let entries = plan
        .ranges
        .iter()
        .flat_map(|(_, first, last)| *first..=*last);
    let entries = entries.map(|seq| frame(seq, bytes)).collect();
    session.apply_round(entries, plan)
}

/// Rounds until none is due: what the socket takes of `1..=last`, behind what it got before.
fn catch_up(session: &Session, mut got: Vec<i64>, last: i64, bytes: usize) -> Vec<i64> {
    for _ in 0..20 {
        let delivered = got.last().copied().unwrap_or(0);
        let again = round(session, &heads(delivered, last), bytes);
        got.extend(seqs(session));
        if !again && !session.wants_round() {
            break;
        }
    }
    got
}

#[test]
fn an_entry_that_was_overtaken_is_pushed_after_all() {
    let session = session();
    assert!(!round(&session, &[], 10));
    assert!(!session.push(frame(3, 10), None), "taken for the next one");
    assert!(
        session.push(frame(2, 10), None),
        "a round from the store is due"
    );
    assert!(!round(&session, &heads(1, 3), 10));
    assert_eq!(
        seqs(&session),
        [3, 2, 3],
        "what its client has twice it drops"
    );
    assert!(!session.push(frame(4, 10), None));
    assert_eq!(seqs(&session), [4]);
}

#[test]
fn a_head_that_was_read_before_the_last_push_changes_nothing() {
    let session = session();
    assert!(!round(&session, &[], 10));
    // The user has left at 4 and come back at 9; the round's heads were read in between.
    assert!(!session.push(frame(9, 10), None));
    assert!(!round(&session, &heads(3, 4), 10));
    assert_eq!(seqs(&session), [9]);
    assert!(!session.push(frame(10, 10), None));
    assert_eq!(seqs(&session), [10]);
}

#[test]
fn live_entries_wait_for_the_round_and_are_merged_behind_it() {
    let session = session();
    for seq in [5, 6, 7] {
        assert!(!session.push(frame(seq, 10), None));
    }
    assert!(session.take().is_none());
    assert!(!round(&session, &heads(2, 6), 10));
    assert_eq!(seqs(&session), [3, 4, 5, 6, 7]);
}

#[test]
fn what_could_not_wait_for_the_round_comes_in_another() {
    let session = session();
    for seq in 1..=300 {
        assert!(!session.push(frame(seq, 10), None));
    }
    assert!(round(&session, &[], 10), "the last ones are missing");
    assert_eq!(seqs(&session), (1..=256).collect::<Vec<_>>());
    assert!(!session.push(frame(301, 10), None), "waits for that round");
    assert!(!round(&session, &heads(0, 301), 10));
    assert_eq!(seqs(&session), (257..=301).collect::<Vec<_>>());
}

#[test]
fn large_entries_come_in_several_rounds_and_never_close_the_socket() {
    let session = session();
    let got = catch_up(&session, Vec::new(), 90, 64 * 1024);
    assert_eq!(session.closing(), None);
    assert_eq!(got, (1..=90).collect::<Vec<_>>());
}

#[test]
fn large_entries_that_come_during_a_round_never_close_the_socket() {
    const LARGE: usize = 64 * 1024;
    let session = session();
    for seq in 31..=100 {
        assert!(!session.push(frame(seq, LARGE), None));
    }
    assert!(
        round(&session, &heads(0, 30), LARGE),
        "not all of them could wait"
    );
    let got = catch_up(&session, seqs(&session), 100, LARGE);
    assert_eq!(session.closing(), None);
    assert_eq!(got, (1..=100).collect::<Vec<_>>());
}

#[test]
fn what_waited_for_a_round_waits_until_it_has_room_in_the_queue() {
    const LARGE: usize = 64 * 1024;
    let session = session();
    assert!(!round(&session, &[], LARGE));
    for seq in 1..=50 {
        assert!(!session.push(frame(seq, LARGE), None));
    }
    session.begin_sync();
    for seq in 51..=65 {
        assert!(!session.push(frame(seq, LARGE), None));
    }
    assert!(!round(&session, &[], LARGE));
    assert_eq!(session.closing(), None);
    assert_eq!(seqs(&session), (1..=50).collect::<Vec<_>>());
    assert!(session.wants_round(), "now that there is room");
    assert!(!round(&session, &[], LARGE));
    assert_eq!(seqs(&session), (51..=65).collect::<Vec<_>>());
}

#[test]
fn past_the_cap_a_gap_is_told_and_the_live_stream_goes_on_behind_it() {
    let session = session();
    assert!(!round(&session, &heads(0, 150), 10));
    let frames = session.take().unwrap();
    let entries = frames.iter().filter(|o| o.entry.is_some()).count();
    let last = String::from_utf8(frames.back().unwrap().json.to_vec()).unwrap();
    assert_eq!(entries, 100);
    assert!(
        last.contains(r#""after":100"#) && last.contains(r#""last_seq":150"#),
        "{last}"
    );
    assert!(
        !session.push(frame(151, 10), None),
        "no hole: the client was told"
    );
    assert_eq!(seqs(&session), [151]);
    let covered: Vec<_> = session
        .cover()
        .into_iter()
        .map(|m| (m.from, m.to))
        .collect();
    assert!(
        covered.contains(&(1, 100)) && covered.contains(&(151, 151)),
        "{covered:?}"
    );
}

fn known(session: &Session) -> usize {
    session.inner.lock().watermarks.len()
}

fn first_of(conversation: usize) -> PushFrame {
    PushFrame::entry("{}", format!("g:{conversation}"), 7)
}

fn everything(session: &Session) -> usize {
    std::iter::from_fn(|| session.take()).flatten().count()
}

#[test]
fn what_is_confirmed_is_forgotten_before_there_is_too_much_to_know() {
    let session = session();
    assert!(!round(&session, &[], 10));
    let mut confirmed = 0;
    for portion in 0..40 {
        for conversation in portion * 100..(portion + 1) * 100 {
            assert!(!session.push(first_of(conversation), None));
        }
        assert_eq!(everything(&session), 100);
        let moves = session.cover();
        assert!(moves.iter().all(|m| (m.from, m.to) == (7, 7)));
        confirmed += moves.len();
        session.confirm(&moves);
        assert!(known(&session) <= MOST);
    }
    assert_eq!(confirmed, 4000);
    // A conversation that was forgotten goes on as one that was never known.
    assert!(!session.push(PushFrame::entry("{}", "g:0", 8), None));
    assert_eq!(everything(&session), 1);
    assert_eq!(session.cover().len(), 1);
}

#[test]
fn what_is_not_confirmed_is_pushed_all_the_same_and_no_pong_counts_for_it() {
    let session = session();
    assert!(!round(&session, &[], 10));
    for conversation in 0..3000 {
        assert!(!session.push(first_of(conversation), None));
        assert_eq!(everything(&session), 1);
    }
    assert_eq!(known(&session), MOST);
    assert_eq!(
        session.cover().len(),
        MOST,
        "of the others nothing is known"
    );
}

#[test]
fn of_very_many_conversations_a_few_at_a_time_are_planned() {
    let session = session();
    let head = |conversation: usize| UserHead {
        user_id: 1,
        conversation: format!("g:{conversation}"),
        delivered_seq: 0,
        last_seq: 500,
        left: false,
    };
    let mut heads: Vec<UserHead> = (0..3000).map(head).collect();
    let mut planned = 0;
    while !heads.is_empty() {
        let plan = session.plan(&heads, 200);
        let told: Vec<String> = plan.ranges.iter().map(|(key, _, _)| key.clone()).collect();
        planned += told.len();
        let entries = plan.ranges.iter().flat_map(|(key, first, last)| {
            (*first..=*last).map(|seq| PushFrame::entry("{}", key.clone(), seq))
        });
        let entries = entries.collect();
        session.apply_round(entries, plan);
        everything(&session);
        session.cover();
        session.wants_round();
        assert!(known(&session) <= MOST);
        assert!(!told.is_empty(), "{planned} planned, then no more");
        // The client pulls what the gaps named, and says so.
        heads.retain(|head| !told.contains(&head.conversation));
    }
    assert_eq!(planned, 3000);
}
