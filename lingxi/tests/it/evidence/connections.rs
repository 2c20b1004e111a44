//! A newer login closes the older connection, wherever it is, and never the reverse.

use std::collections::BTreeMap;

use super::checker::Broken;
use super::recording::{Connection, Ended, Recording};

/// How long, in calm times, an older connection may live beside a newer one.
const GRACE_MS: u64 = 10_000;
/// "kicked", "restarting", "try again", "going away": what a server may say to a connection that was taken over.
const CODES: [u16; 4] = [4002, 1012, 1011, 1001];
const KICKED: u16 = 4002;

pub(super) fn check(recording: &Recording, broken: &mut Vec<Broken>) {
    let mut by_user: BTreeMap<&str, Vec<&Connection>> = BTreeMap::new();
    for connection in &recording.connections {
        by_user
            .entry(&connection.user)
            .or_default()
            .push(connection);
    }
    for connections in by_user.values_mut() {
        connections.sort_by_key(|connection| connection.number);
        for (at, connection) in connections.iter().enumerate() {
            check_one(
                connection,
                &connections[..at],
                &connections[at + 1..],
                recording,
                broken,
            );
        }
    }
}

fn check_one(
    connection: &Connection,
    earlier: &[&Connection],
    later: &[&Connection],
    recording: &Recording,
    broken: &mut Vec<Broken>,
) {
    let user = || connection.user.clone();
    let older = connection.number;
    let taken_over = later.iter().filter_map(|newer| newer.opened).min();
    let end = connection.ended.map_or(u64::MAX, |(at, _)| at);
    if let (Some(taken_over), true) = (taken_over, connection.opened.is_some())
        && end > taken_over
    {
        let for_ms = calm_ms(&recording.unrest, taken_over, end);
        if for_ms > GRACE_MS {
            broken.push(Broken::TwoConnections {
                user: user(),
                older,
                for_ms,
            });
        }
        if let Some((_, Ended::Closed(code))) = connection.ended
            && !CODES.contains(&code)
        {
            let user = user();
            broken.push(Broken::WrongClose { user, older, code });
        }
    }
    // An attempt that was given up may have been registered all the same, and later than a connection that was begun
    // behind it.
    let given_up = |other: &&Connection| other.opened.is_none() && other.begun < end;
    let kicked = matches!(connection.ended, Some((_, Ended::Closed(KICKED))));
    let newer = later.iter().any(|other| other.begun < end);
    if kicked && !newer && !earlier.iter().any(given_up) {
        broken.push(Broken::KickedByOlder {
            user: user(),
            connection: connection.number,
        });
    }
}

/// How much of the time from `from` to `to` is outside every stretch of unrest.
fn calm_ms(unrest: &[(u64, u64)], from: u64, to: u64) -> u64 {
    let mut calm = 0;
    let mut at = from;
    let mut stretches = unrest.to_vec();
    stretches.sort_unstable();
    for (begin, end) in stretches {
        if begin > at {
            calm += begin.min(to).saturating_sub(at);
        }
        at = at.max(end);
        if at >= to {
            return calm;
        }
    }
    calm + to.saturating_sub(at)
}

#[test]
fn unrest_is_taken_off() {
    assert_eq!(calm_ms(&[], 10, 30), 20);
    assert_eq!(calm_ms(&[(15, 20), (18, 25)], 10, 30), 10);
    assert_eq!(calm_ms(&[(0, 12), (40, 50)], 10, 30), 18);
    assert_eq!(calm_ms(&[(0, 100)], 10, 30), 0);
}
