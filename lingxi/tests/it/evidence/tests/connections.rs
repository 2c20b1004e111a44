//! What the checker says of connections.

use super::fine;
use crate::evidence::checker::{Broken, check};
use crate::evidence::recording::{Connection, Ended};

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
