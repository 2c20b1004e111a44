//! What the checker says of cursors.

use super::{cursor, fine};
use crate::evidence::checker::{Broken, check};
use crate::evidence::recording::CursorSeen;

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
