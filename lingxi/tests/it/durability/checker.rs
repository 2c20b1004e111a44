//! Judges a recording: a pure function, tested below on recordings that are broken.

use std::collections::{BTreeMap, BTreeSet};

use super::recording::{Ack, Entry, Key, Received, Recording};

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// An acknowledged message is not in the log, or not with the id and seq that were acknowledged.
    Lost { ack: Ack, reader: String },
    /// One message was acknowledged twice, differently.
    TwoAnswers(Ack, Ack),
    /// One message is in the log twice.
    Double { key: Key, seqs: (u64, u64) },
    /// The log does not begin at 1, or leaves a seq out.
    Hole {
        conversation: String,
        after: u64,
        found: u64,
    },
    /// Two readers have different entries for one seq.
    TwoOrders {
        conversation: String,
        one: Entry,
        other: Entry,
    },
    /// A connection was pushed an entry behind a later one.
    Unordered {
        reader: String,
        connection: u64,
        seq: u64,
        behind: u64,
    },
    /// A client never received a message of its conversation, though it resumed.
    Missed { reader: String, seq: u64 },
    /// The log has a message that nobody sent, or with another content.
    Invented(Entry),
    /// A message was refused.
    Refused(String),
}

/// Every broken promise in the recording; none: all were kept.
pub(super) fn check(recording: &Recording) -> Vec<Broken> {
    let mut broken: Vec<_> = recording
        .refused
        .iter()
        .cloned()
        .map(Broken::Refused)
        .collect();
    let logs = longest_logs(recording);
    for (conversation, entries) in &logs {
        check_dense(conversation, entries, &mut broken);
        check_once(entries, recording, &mut broken);
    }
    check_acks(recording, &mut broken);
    check_agreement(recording, &logs, &mut broken);
    check_order(&recording.received, &mut broken);
    check_complete(recording, &mut broken);
    broken
}

/// The log of each conversation as its oldest member reads it: who joined later has a shorter one.
fn longest_logs(recording: &Recording) -> BTreeMap<&str, &[Entry]> {
    let mut longest: BTreeMap<&str, &[Entry]> = BTreeMap::new();
    for log in &recording.logs {
        let entries = longest.entry(&log.conversation).or_default();
        if log.entries.len() > entries.len() {
            *entries = &log.entries;
        }
    }
    longest
}

fn check_dense(conversation: &str, entries: &[Entry], broken: &mut Vec<Broken>) {
    let mut last = 0;
    for entry in entries {
        if entry.seq != last + 1 {
            broken.push(Broken::Hole {
                conversation: conversation.to_owned(),
                after: last,
                found: entry.seq,
            });
        }
        last = entry.seq;
    }
}

fn check_once(entries: &[Entry], recording: &Recording, broken: &mut Vec<Broken>) {
    let mut seen: BTreeMap<Key, u64> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.msg_id.is_empty()) {
        let key = (entry.from.clone(), entry.msg_id.clone());
        if recording.sent.get(&key) != Some(&entry.content) {
            broken.push(Broken::Invented(entry.clone()));
        }
        if let Some(first) = seen.insert(key.clone(), entry.seq) {
            broken.push(Broken::Double {
                key,
                seqs: (first, entry.seq),
            });
        }
    }
}

/// Every ACK's very id and seq are in the log of each member, and no message had two answers.
fn check_acks(recording: &Recording, broken: &mut Vec<Broken>) {
    let mut answers: BTreeMap<(&str, &str), &Ack> = BTreeMap::new();
    for ack in &recording.acks {
        let first = answers.entry((&ack.sender, &ack.msg_id)).or_insert(ack);
        if *first != ack {
            broken.push(Broken::TwoAnswers((*first).clone(), ack.clone()));
        }
    }
    for log in &recording.logs {
        let stored: BTreeSet<_> = log
            .entries
            .iter()
            .map(|entry| (&entry.from, &entry.msg_id, entry.id, entry.seq))
            .collect();
        for ack in answers
            .values()
            .filter(|ack| ack.conversation == log.conversation)
        {
            if !stored.contains(&(&ack.sender, &ack.msg_id, ack.id, ack.seq)) {
                broken.push(Broken::Lost {
                    ack: (*ack).clone(),
                    reader: log.reader.clone(),
                });
            }
        }
    }
}

/// What anybody received or reads for a seq is what the log has there.
fn check_agreement(
    recording: &Recording,
    logs: &BTreeMap<&str, &[Entry]>,
    broken: &mut Vec<Broken>,
) {
    let mut known: BTreeMap<(&str, u64), &Entry> = BTreeMap::new();
    for (conversation, entries) in logs {
        known.extend(
            entries
                .iter()
                .map(|entry| ((*conversation, entry.seq), entry)),
        );
    }
    let read = recording.logs.iter().flat_map(|log| {
        log.entries
            .iter()
            .map(|entry| (log.conversation.as_str(), entry))
    });
    let received = recording
        .received
        .iter()
        .map(|received| (received.conversation.as_str(), &received.entry));
    for (conversation, entry) in received.chain(read) {
        let one = known.entry((conversation, entry.seq)).or_insert(entry);
        if *one != entry {
            broken.push(Broken::TwoOrders {
                conversation: conversation.to_owned(),
                one: (*one).clone(),
                other: entry.clone(),
            });
        }
    }
}

/// On one connection entries come in ascending order; one that was pushed there before may come again.
fn check_order(received: &[Received], broken: &mut Vec<Broken>) {
    let mut pushed: BTreeMap<(&str, u64), BTreeSet<u64>> = BTreeMap::new();
    for one in received {
        let Some(connection) = one.connection else {
            continue;
        };
        let seen = pushed.entry((&one.reader, connection)).or_default();
        let seq = one.entry.seq;
        if let Some(behind) = seen
            .last()
            .copied()
            .filter(|last| *last > seq && !seen.contains(&seq))
        {
            broken.push(Broken::Unordered {
                reader: one.reader.clone(),
                connection,
                seq,
                behind,
            });
        }
        seen.insert(seq);
    }
}

/// Everyone received every message that is in their log.
fn check_complete(recording: &Recording, broken: &mut Vec<Broken>) {
    let received: BTreeSet<_> = recording
        .received
        .iter()
        .map(|received| (&received.reader, received.entry.seq))
        .collect();
    for log in &recording.logs {
        let missed = log.entries.iter().filter(|entry| {
            !entry.msg_id.is_empty() && !received.contains(&(&log.reader, entry.seq))
        });
        broken.extend(missed.map(|entry| Broken::Missed {
            reader: log.reader.clone(),
            seq: entry.seq,
        }));
    }
}

mod tests {
    use super::super::recording::{Ack, Entry, Log, Received, Recording};
    use super::{Broken, check};

    fn entry(seq: u64, from: &str, msg_id: &str) -> Entry {
        Entry {
            seq,
            id: 1000 + seq,
            from: from.to_owned(),
            msg_id: msg_id.to_owned(),
            content: format!("content of {msg_id}"),
        }
    }

    /// Alice and Bob wrote two messages each; all went well, with a repeat on a second connection.
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
            recording
                .received
                .extend(entries[2..].iter().map(|entry| received(Some(2), entry)));
            recording.received.push(received(None, &entries[0]));
            recording.logs.push(Log {
                reader: reader.to_owned(),
                conversation: "pair".to_owned(),
                entries: entries.to_vec(),
            });
        }
        recording
    }

    #[test]
    fn a_good_recording_passes() {
        assert_eq!(check(&fine()), []);
        // Sent and never acknowledged may be stored or not.
        let mut unanswered = fine();
        unanswered.acks.pop();
        assert_eq!(check(&unanswered), []);
    }

    #[test]
    fn a_lost_message_is_found() {
        let mut recording = fine();
        for log in &mut recording.logs {
            log.entries.pop();
        }
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
        let mut recording = fine();
        let double = entry(5, "alice", "a1");
        for log in &mut recording.logs {
            log.entries.push(double.clone());
        }
        let broken = check(&recording);
        assert!(broken.contains(&Broken::Double {
            key: ("alice".to_owned(), "a1".to_owned()),
            seqs: (1, 5)
        }));
    }

    #[test]
    fn a_hole_is_found() {
        let mut recording = fine();
        recording.acks.remove(1);
        for log in &mut recording.logs {
            log.entries.remove(1);
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
        assert!(matches!(check(&recording)[..], [Broken::TwoOrders { .. }]));
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
        recording.received.swap(0, 1);
        assert!(matches!(
            check(&recording)[..],
            [Broken::Unordered {
                seq: 1,
                behind: 2,
                ..
            }]
        ));
    }

    #[test]
    fn what_never_arrived_is_found() {
        let mut recording = fine();
        recording
            .received
            .retain(|received| received.reader != "bob" || received.entry.seq != 2);
        let reader = "bob".to_owned();
        assert_eq!(check(&recording), [Broken::Missed { reader, seq: 2 }]);
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
}
