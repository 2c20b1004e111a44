//! The promise about groups: whoever is not in one receives nothing of it, from the entry of their going on.

use std::collections::BTreeMap;

use super::checker::Broken;
use super::recording::{Entry, Log, Recording};

/// From which entry to which each was in a group.
type Stays<'a> = BTreeMap<&'a str, Vec<(u64, u64)>>;

pub(super) fn check(recording: &Recording, broken: &mut Vec<Broken>) {
    let mut longest: BTreeMap<&str, &Log> = BTreeMap::new();
    for log in &recording.logs {
        let known = longest.entry(&log.conversation).or_insert(log);
        if log.entries.len() > known.entries.len() {
            *known = log;
        }
    }
    let groups: BTreeMap<&str, Stays<'_>> = longest
        .into_iter()
        .filter(|(conversation, _)| conversation.starts_with("g:"))
        .map(|(conversation, log)| (conversation, stays(&log.entries)))
        .collect();
    for received in &recording.received {
        let Some(stays) = groups.get(received.conversation.as_str()) else {
            continue;
        };
        let seq = received.entry.seq;
        let stays = stays.get(received.reader.as_str());
        let within = |&(from, to): &(u64, u64)| (from..=to).contains(&seq);
        if !stays.is_some_and(|stays| stays.iter().any(within)) {
            broken.push(Broken::Leaked {
                reader: received.reader.clone(),
                conversation: received.conversation.clone(),
                seq,
            });
        }
    }
}

fn stays(log: &[Entry]) -> Stays<'_> {
    let mut stays = Stays::new();
    for entry in log {
        let of_target = stays.entry(entry.target.as_str());
        match entry.content.as_str() {
            "group_joined" | "group_invited" => of_target.or_default().push((entry.seq, u64::MAX)),
            "group_left" | "group_kicked" => of_target.or_default().iter_mut().for_each(end(entry)),
            "group_dismissed" => stays.values_mut().flatten().for_each(end(entry)),
            _ => {}
        }
    }
    stays
}

/// Ends what has not ended yet: with this entry, which is still seen.
fn end(entry: &Entry) -> impl FnMut(&mut (u64, u64)) {
    let last = entry.seq;
    move |stay| stay.1 = stay.1.min(last)
}
