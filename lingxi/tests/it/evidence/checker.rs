//! Judges a recording: a pure function, tested on recordings that are broken.

use std::collections::BTreeMap;

use super::recording::{Ack, Entry, Key, Recording};
use super::{connections, cursors, logs, membership};

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
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
        conversation: String,
        connection: u64,
        seq: u64,
        behind: u64,
    },
    /// A client never received an entry that it was owed.
    Missed {
        reader: String,
        conversation: String,
        seq: u64,
    },
    /// A message has another text than an edit that was answered gave it, or an earlier one.
    EditLost { id: u64, edit: u64 },
    /// A client received an entry of a group that its user was not in then.
    Leaked {
        reader: String,
        conversation: String,
        seq: u64,
    },
    /// The log has a message that nobody sent, or with another content.
    Invented(Entry),
    /// A message was refused.
    Refused(String),
    /// A message was repeated until the end, and never acknowledged.
    Unanswered(Key),
    /// A cursor moved back.
    CursorBack {
        reader: String,
        conversation: String,
        from: u64,
        to: u64,
    },
    /// A cursor passed an entry that its reader's clients had not received.
    CursorPassed {
        reader: String,
        conversation: String,
        cursor: u64,
        missing: u64,
    },
    /// A connection lived on, in calm times, beside a newer one of its user.
    TwoConnections {
        user: String,
        older: u64,
        for_ms: u64,
    },
    /// A connection that was taken over was closed with another code than the documented one.
    WrongClose { user: String, older: u64, code: u16 },
    /// A user's newest connection was closed as if there were a newer one.
    KickedByOlder { user: String, connection: u64 },
    /// A run was begun and did not end, or its asker never saw its end.
    RunLost(String),
    /// A run ended more than once, or with an error that nothing explains.
    RunEnds { id: String, ends: Vec<String> },
    /// A replay of a run says something else than its asker was told.
    RunTexts {
        id: String,
        told: String,
        replayed: String,
    },
    /// A tool's effect happened more than once, or never although its run said so.
    Effect { what: String, count: usize },
    /// Something that was noticed while it happened.
    Incident(&'static str, String),
}

/// Every broken promise in the recording; none: all were kept.
pub(crate) fn check(recording: &Recording) -> Vec<Broken> {
    let mut broken: Vec<_> = recording
        .refused
        .iter()
        .cloned()
        .map(Broken::Refused)
        .collect();
    let unanswered = recording.unanswered.iter().cloned();
    broken.extend(unanswered.map(Broken::Unanswered));
    let incidents = recording.incidents.iter().cloned();
    broken.extend(incidents.map(|(name, what)| Broken::Incident(name, what)));
    logs::check(recording, &mut broken);
    membership::check(recording, &mut broken);
    cursors::check(recording, &mut broken);
    connections::check(recording, &mut broken);
    check_runs(recording, &mut broken);
    broken
}

fn check_runs(recording: &Recording, broken: &mut Vec<Broken>) {
    broken.extend(recording.unfinished.iter().cloned().map(Broken::RunLost));
    for run in &recording.runs {
        let id = || run.id.clone();
        if run.ends.is_empty() || run.replayed.0.is_empty() {
            broken.push(Broken::RunLost(id()));
            continue;
        }
        for ends in [&run.ends, &run.replayed.0] {
            if ends.len() != 1 || ends[0] != "done" {
                let ends = ends.clone();
                broken.push(Broken::RunEnds { id: id(), ends });
            }
        }
        if run.text != run.replayed.1 {
            broken.push(Broken::RunTexts {
                id: id(),
                told: run.text.clone(),
                replayed: run.replayed.1.clone(),
            });
        }
    }
    for effect in &recording.effects {
        if effect.count > 1 || (effect.claimed && effect.count == 0) {
            let what = effect.what.clone();
            let count = effect.count;
            broken.push(Broken::Effect { what, count });
        }
    }
}

/// How many there are of each kind.
pub(crate) fn kinds(broken: &[Broken]) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for one in broken {
        let shown = format!("{one:?}");
        let end = shown.find(|c: char| !c.is_alphanumeric());
        let name = match one {
            Broken::Incident(name, _) => (*name).to_owned(),
            _ => shown[..end.unwrap_or(shown.len())].to_owned(),
        };
        *kinds.entry(name).or_default() += 1;
    }
    kinds
}
