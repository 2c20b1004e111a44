//! What the checker says of who was in a group.

use super::{entry, fine};
use crate::evidence::checker::{Broken, check};
use crate::evidence::recording::{Entry, Log, Received};

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
