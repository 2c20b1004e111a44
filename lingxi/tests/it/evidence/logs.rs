//! The promises about the log: nothing acknowledged is lost, everything is there once, in one order for everybody.

use std::collections::{BTreeMap, BTreeSet};

use super::checker::Broken;
use super::recording::{Ack, Entry, Key, Recording};

/// The log of each conversation as its oldest member reads it: who joined later has a shorter one.
type Logs<'a> = BTreeMap<&'a str, &'a [Entry]>;

pub(super) fn check(recording: &Recording, broken: &mut Vec<Broken>) {
    let mut logs = Logs::new();
    for log in &recording.logs {
        let entries = logs.entry(&log.conversation).or_default();
        if log.entries.len() > entries.len() {
            *entries = &log.entries;
        }
    }
    for (conversation, entries) in &logs {
        check_dense(conversation, entries, broken);
        check_sent(entries, recording, broken);
    }
    check_edits(recording, &logs, broken);
    check_once(recording, &logs, broken);
    check_acks(recording, broken);
    check_agreement(recording, &logs, broken);
    broken.extend(order(recording).0);
    check_complete(recording, broken);
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

/// Every message is one that was sent, with the content that it was sent with.
fn check_sent(entries: &[Entry], recording: &Recording, broken: &mut Vec<Broken>) {
    for entry in entries.iter().filter(|entry| !entry.msg_id.is_empty()) {
        let key = (entry.from.clone(), entry.msg_id.clone());
        let sent = recording.sent.get(&key);
        let same =
            sent.is_some_and(|content| entry.content.is_empty() || content == entry.first_text());
        if !same {
            broken.push(Broken::Invented(entry.clone()));
        }
    }
}

/// What was edited says so in the end, unless it was recalled.
fn check_edits(recording: &Recording, logs: &Logs<'_>, broken: &mut Vec<Broken>) {
    let entries = logs.values().flat_map(|entries| entries.iter());
    let by_id: BTreeMap<u64, &Entry> = entries.map(|entry| (entry.id, entry)).collect();
    for &(id, edit) in &recording.edits {
        let entry = by_id.get(&id);
        let kept = entry.is_some_and(|entry| entry.content.is_empty() || entry.edit() >= edit);
        if !kept {
            broken.push(Broken::EditLost { id, edit });
        }
    }
}

/// No message has two places: neither in the log nor in what was pushed.
fn check_once(recording: &Recording, logs: &Logs<'_>, broken: &mut Vec<Broken>) {
    let mut places: BTreeMap<(&str, &str, &str), BTreeSet<u64>> = BTreeMap::new();
    let stored = logs
        .iter()
        .flat_map(|(key, entries)| entries.iter().map(|entry| (*key, entry)));
    let pushed = recording
        .received
        .iter()
        .map(|received| (received.conversation.as_str(), &received.entry));
    for (conversation, entry) in stored.chain(pushed) {
        if !entry.msg_id.is_empty() {
            let message = (conversation, entry.from.as_str(), entry.msg_id.as_str());
            places.entry(message).or_default().insert(entry.seq);
        }
    }
    for ((_, from, msg_id), seqs) in places {
        let mut seqs = seqs.into_iter();
        if let (Some(first), Some(second)) = (seqs.next(), seqs.next()) {
            let key: Key = (from.to_owned(), msg_id.to_owned());
            let seqs = (first, second);
            broken.push(Broken::Double { key, seqs });
        }
    }
}

/// Every ACK's very id and seq are in the log of each reader, and no message had two answers.
fn check_acks(recording: &Recording, broken: &mut Vec<Broken>) {
    let mut answers: BTreeMap<(&str, &str), &Ack> = BTreeMap::new();
    for ack in &recording.acks {
        let first = answers.entry((&ack.sender, &ack.msg_id)).or_insert(ack);
        if *first != ack {
            broken.push(Broken::TwoAnswers((*first).clone(), ack.clone()));
        }
    }
    let mut by_conversation: BTreeMap<&str, Vec<&Ack>> = BTreeMap::new();
    for ack in answers.into_values() {
        by_conversation
            .entry(&ack.conversation)
            .or_default()
            .push(ack);
    }
    for log in &recording.logs {
        let stored: BTreeSet<_> = log
            .entries
            .iter()
            .map(|entry| (&entry.from, &entry.msg_id, entry.id, entry.seq))
            .collect();
        for ack in by_conversation
            .get(log.conversation.as_str())
            .into_iter()
            .flatten()
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
fn check_agreement(recording: &Recording, logs: &Logs<'_>, broken: &mut Vec<Broken>) {
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
        if !one.agrees(entry) {
            broken.push(Broken::TwoOrders {
                conversation: conversation.to_owned(),
                one: (*one).clone(),
                other: entry.clone(),
            });
        }
    }
}

/// On one connection entries come in ascending order; one that was pushed there before may come again. See
/// [`was_overtaken`] for the one exception, whose number is answered too.
fn order(recording: &Recording) -> (Vec<Broken>, usize) {
    let (mut broken, mut exceptions) = (Vec::new(), 0);
    let begun: BTreeMap<(&str, u64), u64> = recording
        .connections
        .iter()
        .map(|one| ((one.user.as_str(), one.number), one.begun))
        .collect();
    let mut pushed: BTreeMap<(&str, u64, &str), Pushed> = BTreeMap::new();
    for one in &recording.received {
        let Some(connection) = one.connection else {
            continue;
        };
        let seen = pushed
            .entry((&one.reader, connection, &one.conversation))
            .or_default();
        let seq = one.entry.seq;
        seen.first.get_or_insert(seq);
        let begun = begun.get(&(one.reader.as_str(), connection)).copied();
        let overtaken =
            begun.is_some_and(|begun| was_overtaken(&one.entry, recording.epoch_ms + begun, seen));
        if let Some(behind) = seen
            .seqs
            .last()
            .copied()
            .filter(|last| *last > seq && !seen.seqs.contains(&seq) && !overtaken)
        {
            broken.push(Broken::Unordered {
                reader: one.reader.clone(),
                conversation: one.conversation.clone(),
                connection,
                seq,
                behind,
            });
        }
        if overtaken {
            seen.made_up = seq;
            exceptions += 1;
        }
        seen.seqs.insert(seq);
    }
    (broken, exceptions)
}

/// How many entries came behind later ones, in the one way that is allowed.
pub(crate) fn overtaken(recording: &Recording) -> usize {
    order(recording).1
}

/// What a connection was pushed of a conversation.
#[derive(Default)]
struct Pushed {
    seqs: BTreeSet<u64>,
    first: Option<u64>,
    /// The last entry that was made up for.
    made_up: u64,
}

/// A message is pushed by a chat worker, a change of membership or a recall by whoever made it: so of the first entries that
/// a connection sees of a conversation, one may overtake the ones before it, written since the connection was opened.
/// They are made up for, in their order. What was written before the connection was opened comes before everything else.
fn was_overtaken(entry: &Entry, opened_ms: u64, pushed: &Pushed) -> bool {
    pushed.first.is_some_and(|first| entry.seq < first)
        && entry.seq > pushed.made_up
        && entry.written_ms() >= opened_ms
}

/// Everyone received everything that they were owed.
fn check_complete(recording: &Recording, broken: &mut Vec<Broken>) {
    let mut received: BTreeMap<(&str, &str), BTreeSet<u64>> = BTreeMap::new();
    for one in &recording.received {
        let seen = received
            .entry((&one.reader, &one.conversation))
            .or_default();
        seen.insert(one.entry.seq);
    }
    let none = BTreeSet::new();
    for owed in &recording.owed {
        let of_reader = (owed.reader.as_str(), owed.conversation.as_str());
        let seen = received.get(&of_reader).unwrap_or(&none);
        let missed = owed.seqs.iter().filter(|seq| !seen.contains(seq));
        broken.extend(missed.map(|&seq| Broken::Missed {
            reader: owed.reader.clone(),
            conversation: owed.conversation.clone(),
            seq,
        }));
    }
}
