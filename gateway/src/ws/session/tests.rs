//! What reaches a socket, whatever the order in which it comes.

use lingxi_proto::bus::PushFrame;
use lingxi_store::UserHead;

use super::{Outgoing, Session};

const KEY: &str = "d:1:2";

fn session() -> Session {
    Session::new(1, 1, "alice".into(), 1, i64::MAX)
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
    }]
}

fn seqs(session: &Session) -> Vec<i64> {
    let entry = |o: &Outgoing| o.entry.as_ref().map(|(_, seq)| *seq);
    session
        .take()
        .into_iter()
        .flatten()
        .filter_map(|o| entry(&o))
        .collect()
}

/// Applies one round of the plan for these heads, each entry of that many bytes; answers whether another is due at once.
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
