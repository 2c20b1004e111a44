//! The checker on recordings that are broken, each in one way.

mod connections;
mod cursors;
mod logs;
mod membership;
mod runs;

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
fn an_incident_is_reported() {
    let mut recording = fine();
    let incident = ("Died", "gateway 0".to_owned());
    recording.incidents.push(incident);
    assert!(matches!(
        check(&recording)[..],
        [Broken::Incident("Died", _)]
    ));
}
