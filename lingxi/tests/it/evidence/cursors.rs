//! A cursor never moves back, and never passes an entry that its reader's clients did not have.

use std::collections::{BTreeMap, BTreeSet};

use super::checker::Broken;
use super::recording::Recording;

/// What is known of one member while the recording is gone through.
#[derive(Default)]
struct Known {
    joined: u64,
    delivered: u64,
    read: u64,
    /// Everything from `joined` up to here was received.
    complete: u64,
}

pub(super) fn check(recording: &Recording, broken: &mut Vec<Broken>) {
    let mut received: BTreeMap<(&str, &str), BTreeSet<u64>> = BTreeMap::new();
    let mut known: BTreeMap<(&str, &str), Known> = BTreeMap::new();
    let mut at = 0;
    for seen in &recording.cursors {
        let until = seen.received.min(recording.received.len());
        for one in &recording.received[at.min(until)..until] {
            let member = (one.reader.as_str(), one.conversation.as_str());
            received.entry(member).or_default().insert(one.entry.seq);
        }
        at = at.max(until);
        let member = (seen.reader.as_str(), seen.conversation.as_str());
        let (reader, conversation) = (seen.reader.clone(), seen.conversation.clone());
        let before = known.entry(member).or_default();
        if before.joined != seen.joined {
            // The member left and came back: another stretch of the log, with cursors of its own.
            *before = Known {
                joined: seen.joined,
                complete: seen.joined.saturating_sub(1),
                ..Known::default()
            };
        }
        for (was, is) in [(before.delivered, seen.delivered), (before.read, seen.read)] {
            if is < was {
                broken.push(Broken::CursorBack {
                    reader: reader.clone(),
                    conversation: conversation.clone(),
                    from: was,
                    to: is,
                });
            }
        }
        (before.delivered, before.read) = (seen.delivered, seen.read);
        let has = received.entry(member).or_default();
        let cursor = seen.delivered.max(seen.read);
        while before.complete < cursor {
            if !has.contains(&(before.complete + 1)) {
                broken.push(Broken::CursorPassed {
                    reader,
                    conversation,
                    cursor,
                    missing: before.complete + 1,
                });
                // Said once.
                before.complete = cursor;
                break;
            }
            before.complete += 1;
        }
    }
}
