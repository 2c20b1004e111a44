//! What the checker says of logs: messages lost, doubled, out of order, edited in vain.

use super::{entry, fine};
use crate::evidence::checker::{Broken, check};
use crate::evidence::recording::{Ack, Entry, Received};

#[test]
fn a_lost_message_is_found() {
    let mut recording = fine();
    for log in &mut recording.logs {
        log.entries.pop();
    }
    recording.cursors.clear();
    recording.owed.clear();
    recording
        .received
        .retain(|received| received.entry.seq != 4);
    let broken = check(&recording);
    assert!(
        matches!(&broken[..], [Broken::Lost { ack, .. }, Broken::Lost { .. }] if ack.msg_id == "b2")
    );
}

#[test]
fn an_ack_with_another_id_or_seq_is_a_loss() {
    for change in [|ack: &mut Ack| ack.id += 1, |ack: &mut Ack| ack.seq = 2] {
        let mut recording = fine();
        change(&mut recording.acks[3]);
        assert!(matches!(check(&recording)[0], Broken::Lost { .. }));
    }
}

#[test]
fn two_answers_are_found() {
    let mut recording = fine();
    let mut again = recording.acks[0].clone();
    recording.acks.push(again.clone());
    assert_eq!(check(&recording), [], "the same answer twice is right");
    again.seq = 9;
    recording.acks.push(again);
    assert!(matches!(check(&recording)[..], [Broken::TwoAnswers(..)]));
}

#[test]
fn a_double_is_found() {
    let double = Broken::Double {
        key: ("alice".to_owned(), "a1".to_owned()),
        seqs: (1, 5),
    };
    let mut recording = fine();
    for log in &mut recording.logs {
        log.entries.push(entry(5, "alice", "a1"));
    }
    assert_eq!(check(&recording), std::slice::from_ref(&double));
    // Pushed with its msg_id, and stored in a way that hides it.
    let mut recording = fine();
    let pushed = Received {
        entry: entry(5, "alice", "a1"),
        connection: Some(2),
        ..recording.received[0].clone()
    };
    recording.received.push(pushed);
    assert_eq!(check(&recording), [double]);
}

#[test]
fn a_hole_is_found() {
    let mut recording = fine();
    recording.acks.remove(1);
    recording.cursors.clear();
    for log in &mut recording.logs {
        log.entries.remove(1);
    }
    for owed in &mut recording.owed {
        owed.seqs.remove(1);
    }
    recording
        .received
        .retain(|received| received.entry.seq != 2);
    let conversation = "pair".to_owned();
    assert_eq!(
        check(&recording),
        [Broken::Hole {
            conversation,
            after: 1,
            found: 3
        }]
    );
}

#[test]
fn two_orders_are_found() {
    // Bob was pushed another message for seq 3 than the log has.
    let mut recording = fine();
    let at = recording
        .received
        .iter()
        .rposition(|received| received.entry.seq == 3);
    recording.received[at.expect("seq 3")].entry = Entry {
        seq: 3,
        ..entry(4, "bob", "b2")
    };
    let broken = check(&recording);
    assert!(
        broken
            .iter()
            .any(|broken| matches!(broken, Broken::TwoOrders { .. }))
    );
    // Or reads another log than Alice.
    let mut recording = fine();
    recording.logs[1].entries[0].id += 1;
    assert!(
        check(&recording)
            .iter()
            .any(|broken| matches!(broken, Broken::TwoOrders { .. }))
    );
}

#[test]
fn a_push_out_of_order_is_found() {
    let mut recording = fine();
    recording.received.swap(1, 2);
    assert!(matches!(
        check(&recording)[..],
        [Broken::Unordered {
            seq: 2,
            behind: 3,
            ..
        }]
    ));
}

#[test]
fn what_was_overtaken_may_be_made_up_for_and_a_backlog_may_not() {
    let mut recording = fine();
    recording.received.swap(0, 1);
    // Ids of the year 2024: entry 1 was written behind when the connection was opened.
    assert_eq!(check(&recording), []);
    // Behind two later ones, which then are out of order themselves.
    recording.received.swap(0, 1);
    recording.received.swap(0, 2);
    assert!(matches!(
        check(&recording)[..],
        [Broken::Unordered {
            seq: 1,
            behind: 3,
            ..
        }]
    ));
    let mut recording = fine();
    recording.received.swap(0, 1);
    recording.epoch_ms = recording.received[0].entry.written_ms() + 1;
    assert!(matches!(check(&recording)[..], [Broken::Unordered { .. }]));
}

#[test]
fn what_never_arrived_is_found() {
    let mut recording = fine();
    recording.cursors.clear();
    recording
        .received
        .retain(|received| received.reader != "bob" || received.entry.seq != 2);
    let (reader, conversation) = ("bob".to_owned(), "pair".to_owned());
    assert_eq!(
        check(&recording),
        [Broken::Missed {
            reader,
            conversation,
            seq: 2
        }]
    );
}

#[test]
fn an_invented_message_is_found() {
    let mut recording = fine();
    recording.sent.remove(&("bob".to_owned(), "b1".to_owned()));
    assert!(matches!(check(&recording)[..], [Broken::Invented(_)]));
    let mut recording = fine();
    recording.refused.push("m9: unavailable".to_owned());
    assert!(matches!(check(&recording)[..], [Broken::Refused(_)]));
}

#[test]
fn a_message_without_an_answer_is_found() {
    let mut recording = fine();
    recording
        .unanswered
        .push(("bob".to_owned(), "b9".to_owned()));
    assert!(matches!(check(&recording)[..], [Broken::Unanswered(_)]));
}

#[test]
fn an_edit_that_is_lost_is_found() {
    let edited = |number: u64| {
        let mut recording = fine();
        for log in &mut recording.logs {
            let entry = &mut log.entries[1];
            entry.content = format!("{}✎{number}", entry.content);
        }
        recording.edits = vec![(1002, 3), (1002, 7)];
        recording
    };
    // The last one that was answered, or one whose answer was lost; or it was recalled.
    assert_eq!(check(&edited(7)), []);
    assert_eq!(check(&edited(8)), []);
    let mut recalled = edited(7);
    recalled
        .logs
        .iter_mut()
        .for_each(|log| log.entries[1].content.clear());
    assert_eq!(check(&recalled), []);
    let lost = |edit| Broken::EditLost { id: 1002, edit };
    assert_eq!(check(&edited(3)), [lost(7)]);
    let mut never = fine();
    never.edits = vec![(1002, 3)];
    assert_eq!(check(&never), [lost(3)]);
    // Another text than any edit of what was sent.
    let mut invented = edited(7);
    for log in &mut invented.logs {
        log.entries[1].content = "another✎7".to_owned();
    }
    let broken = check(&invented);
    assert!(
        broken.iter().any(|one| matches!(one, Broken::Invented(_))),
        "{broken:?}"
    );
}
