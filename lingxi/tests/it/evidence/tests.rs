//! The checker on recordings that are broken, each in one way.

use super::checker::{Broken, check};
use super::recording::{
    Ack, Connection, CursorSeen, Effect, Ended, Entry, Log, Owed, Received, Recording, RunSeen,
};

fn entry(seq: u64, from: &str, msg_id: &str) -> Entry {
    Entry {
        seq,
        id: 1000 + seq,
        from: from.to_owned(),
        msg_id: msg_id.to_owned(),
        content: format!("content of {msg_id}"),
        target: String::new(),
    }
}

fn connection(user: &str, number: u64, opened: u64, ended: Option<(u64, Ended)>) -> Connection {
    Connection {
        user: user.to_owned(),
        number,
        begun: opened,
        opened: Some(opened),
        ended,
    }
}

fn cursor(reader: &str, received: usize, delivered: u64) -> CursorSeen {
    CursorSeen {
        reader: reader.to_owned(),
        conversation: "pair".to_owned(),
        received,
        joined: 1,
        delivered,
        read: 0,
    }
}

/// Alice and Bob wrote two messages each; all went well, with a repeat on a second connection. They asked one question.
fn fine() -> Recording {
    let entries = [
        entry(1, "alice", "a1"),
        entry(2, "bob", "b1"),
        entry(3, "alice", "a2"),
        entry(4, "bob", "b2"),
    ];
    let mut recording = Recording::default();
    for entry in &entries {
        let key = (entry.from.clone(), entry.msg_id.clone());
        recording.sent.insert(key, entry.content.clone());
        recording.acks.push(Ack {
            conversation: "pair".to_owned(),
            sender: entry.from.clone(),
            msg_id: entry.msg_id.clone(),
            id: entry.id,
            seq: entry.seq,
        });
    }
    for reader in ["alice", "bob"] {
        let received = |connection, entry: &Entry| Received {
            reader: reader.to_owned(),
            conversation: "pair".to_owned(),
            connection,
            entry: entry.clone(),
        };
        recording
            .received
            .extend(entries[..3].iter().map(|entry| received(Some(1), entry)));
        let so_far = recording.received.len();
        recording.cursors.push(cursor(reader, so_far, 2));
        recording
            .received
            .extend(entries[2..].iter().map(|entry| received(Some(2), entry)));
        recording.received.push(received(None, &entries[0]));
        recording.logs.push(Log {
            reader: reader.to_owned(),
            conversation: "pair".to_owned(),
            entries: entries.to_vec(),
        });
        recording.owed.push(Owed {
            reader: reader.to_owned(),
            conversation: "pair".to_owned(),
            seqs: vec![1, 2, 3, 4],
        });
        let so_far = recording.received.len();
        recording.cursors.push(cursor(reader, so_far, 4));
        recording.connections.extend([
            connection(reader, 1, 0, Some((5200, Ended::Closed(4002)))),
            connection(reader, 2, 5000, None),
        ]);
    }
    recording.runs.push(RunSeen {
        id: "run".to_owned(),
        ends: vec!["done".to_owned()],
        text: "an answer".to_owned(),
        replayed: (vec!["done".to_owned()], "an answer".to_owned()),
    });
    recording.effects.push(Effect {
        what: "a group".to_owned(),
        claimed: true,
        count: 1,
    });
    recording
}

#[test]
fn a_good_recording_passes() {
    assert_eq!(check(&fine()), []);
    // Sent and never acknowledged may be stored or not.
    let mut unanswered = fine();
    unanswered.acks.pop();
    assert_eq!(check(&unanswered), []);
    // A message that was recalled after some had received it.
    let mut recalled = fine();
    recalled.logs[0].entries[1].content.clear();
    assert_eq!(check(&recalled), []);
}

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
fn a_cursor_that_moves_back_is_found() {
    let mut recording = fine();
    recording.cursors.push(cursor("alice", 99, 3));
    let broken = check(&recording);
    assert!(matches!(
        broken[..],
        [Broken::CursorBack { from: 4, to: 3, .. }]
    ));
    // Who came back to a group has another cursor.
    let mut recording = fine();
    let back = CursorSeen {
        joined: 4,
        delivered: 3,
        ..cursor("alice", 99, 3)
    };
    recording.cursors.push(back);
    assert_eq!(check(&recording), []);
}

#[test]
fn a_cursor_ahead_of_its_client_is_found() {
    let mut recording = fine();
    // After three entries it cannot stand at the fourth.
    recording.cursors[0].delivered = 4;
    assert!(matches!(
        check(&recording)[..],
        [Broken::CursorPassed {
            cursor: 4,
            missing: 4,
            ..
        }]
    ));
    let mut recording = fine();
    for cursor in &mut recording.cursors[..2] {
        cursor.read = 4;
    }
    assert!(matches!(
        check(&recording)[..],
        [Broken::CursorPassed { .. }]
    ));
}

#[test]
fn a_connection_that_outlives_its_successor_is_found() {
    let mut recording = fine();
    recording.connections[0].ended = Some((20_000, Ended::Closed(4002)));
    let broken = check(&recording);
    assert!(matches!(
        broken[..],
        [Broken::TwoConnections { for_ms: 15_000, .. }]
    ));
    recording.unrest.push((4000, 12_000));
    assert_eq!(check(&recording), [], "the announcement was late");
    recording.connections[0].ended = None;
    let broken = check(&recording);
    assert!(matches!(broken[..], [Broken::TwoConnections { .. }]));
}

#[test]
fn a_wrong_close_is_found() {
    let mut recording = fine();
    recording.connections[0].ended = Some((5200, Ended::Closed(4008)));
    let broken = check(&recording);
    assert!(matches!(
        broken[..],
        [Broken::WrongClose { code: 4008, .. }]
    ));
    let mut recording = fine();
    recording.connections[1].ended = Some((6000, Ended::Closed(4002)));
    let broken = check(&recording);
    assert!(matches!(
        broken[..],
        [Broken::KickedByOlder { connection: 2, .. }]
    ));
    // Unless an attempt that was given up was registered late.
    let late = Connection {
        number: 0,
        opened: None,
        ..recording.connections[0].clone()
    };
    recording.connections.push(late);
    assert_eq!(check(&recording), []);
}

#[test]
fn a_lost_run_is_found() {
    let mut recording = fine();
    recording.runs[0].ends.clear();
    assert!(matches!(check(&recording)[..], [Broken::RunLost(_)]));
    let mut recording = fine();
    recording.unfinished.push("run".to_owned());
    assert!(matches!(check(&recording)[..], [Broken::RunLost(_)]));
}

#[test]
fn a_run_that_ends_twice_or_says_two_things_is_found() {
    let mut recording = fine();
    recording.runs[0].ends.push("done".to_owned());
    assert!(matches!(check(&recording)[..], [Broken::RunEnds { .. }]));
    let mut recording = fine();
    recording.runs[0].replayed.0 = vec!["error".to_owned()];
    assert!(matches!(check(&recording)[..], [Broken::RunEnds { .. }]));
    let mut recording = fine();
    recording.runs[0].text.push('!');
    assert!(matches!(check(&recording)[..], [Broken::RunTexts { .. }]));
}

#[test]
fn an_effect_that_happens_twice_or_never_is_found() {
    for count in [0, 2] {
        let mut recording = fine();
        recording.effects[0].count = count;
        assert!(matches!(check(&recording)[..], [Broken::Effect { .. }]));
    }
}

#[test]
fn an_incident_is_reported() {
    let mut recording = fine();
    let incident = ("Died", "gateway 0".to_owned());
    recording.incidents.push(incident);
    assert!(matches!(
        check(&recording)[..],
        [Broken::Incident("Died", _)]
    ));
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

/// An event of a group's log.
fn event(seq: u64, name: &str, target: &str) -> Entry {
    Entry {
        content: name.to_owned(),
        target: target.to_owned(),
        ..entry(seq, "alice", "")
    }
}

#[test]
fn what_a_stranger_to_a_group_receives_is_found() {
    let group = |log: &[Entry], received: &[(&str, u64)]| {
        let mut recording = fine();
        recording.logs.push(Log {
            reader: "the database".to_owned(),
            conversation: "g:1".to_owned(),
            entries: log.to_vec(),
        });
        for &(reader, seq) in received {
            recording.received.push(Received {
                reader: reader.to_owned(),
                conversation: "g:1".to_owned(),
                connection: None,
                entry: log[usize::try_from(seq).expect("a place") - 1].clone(),
            });
        }
        let broken = check(&recording);
        assert!(
            broken
                .iter()
                .all(|one| matches!(one, Broken::Leaked { .. })),
            "{broken:?}"
        );
        let leaked = |one: &Broken| match one {
            Broken::Leaked { reader, seq, .. } => Some((reader.clone(), *seq)),
            _ => None,
        };
        broken.iter().filter_map(leaked).collect::<Vec<_>>()
    };
    let log = [
        event(1, "group_joined", "alice"),
        event(2, "group_invited", "bob"),
        event(3, "group_updated", "bob"),
        event(4, "group_kicked", "bob"),
        event(5, "group_updated", ""),
        event(6, "group_joined", "bob"),
        event(7, "group_dismissed", ""),
        event(8, "group_updated", ""),
    ];
    let seen = [("alice", 1), ("bob", 2), ("bob", 4), ("bob", 6), ("bob", 7)];
    assert_eq!(group(&log, &seen), []);
    for (reader, seq) in [
        ("bob", 1),
        ("bob", 5),
        ("bob", 8),
        ("alice", 8),
        ("carol", 2),
    ] {
        assert_eq!(group(&log, &[(reader, seq)]), [(reader.to_owned(), seq)]);
    }
}
