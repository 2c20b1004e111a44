//! Nothing is shown twice, nothing is left out, whatever comes in whatever order.

use serde_json::json;

use crate::chat::frame::Frame;
use crate::chat::session::cursors::{Cursors, Pull, Taken};

fn entry(seq: u64) -> Frame {
    json!({"type": 2, "conversation": "d:1:2", "seq": seq, "id": seq, "content": "x"}).into()
}

fn entries(seqs: impl IntoIterator<Item = u64>) -> Vec<Frame> {
    seqs.into_iter().map(entry).collect()
}

fn pull(after: u64) -> Pull {
    Pull {
        conversation: "d:1:2".to_owned(),
        after,
    }
}

#[track_caller]
fn shows(taken: Taken, seqs: &[u64]) {
    let shown: Vec<_> = taken
        .show
        .iter()
        .filter_map(|e| e["seq"].as_u64())
        .collect();
    assert_eq!((shown.as_slice(), taken.pull), (seqs, None));
}

#[test]
fn repeats_are_dropped() {
    let mut cursors = Cursors::default();
    shows(cursors.take(entry(5)), &[5]);
    shows(cursors.take(entry(6)), &[6]);
    shows(cursors.take(entry(6)), &[]);
    shows(cursors.take(entry(5)), &[]);
    shows(cursors.take(entry(7)), &[7]);
}

#[test]
fn what_was_said_before_the_first_is_shown_late_and_once() {
    // The bus lost 3 and 4 of a conversation that this client knew nothing of.
    let mut cursors = Cursors::default();
    shows(cursors.take(entry(5)), &[5]);
    shows(cursors.take(entry(3)), &[3]);
    shows(cursors.take(entry(4)), &[4]);
    shows(cursors.take(entry(3)), &[]);
    shows(cursors.take(entry(5)), &[]);
    shows(cursors.take(entry(6)), &[6]);
}

#[test]
fn a_hole_is_fetched_before_what_is_behind_it_is_shown() {
    let mut cursors = Cursors::default();
    shows(cursors.take(entry(1)), &[1]);
    assert_eq!(cursors.take(entry(4)).pull, Some(pull(1)));
    // One fetch for one hole.
    shows(cursors.take(entry(5)), &[]);
    shows(
        cursors.pulled(&pull(1), entries(2..=4), false),
        &[2, 3, 4, 5],
    );
    shows(cursors.take(entry(4)), &[]);
    shows(cursors.take(entry(6)), &[6]);
}

#[test]
fn a_hole_that_is_none_for_this_user_ends() {
    // Somebody who left and came back does not see what was said meanwhile.
    let mut cursors = Cursors::default();
    shows(cursors.take(entry(1)), &[1]);
    assert_eq!(cursors.take(entry(9)).pull, Some(pull(1)));
    shows(cursors.pulled(&pull(1), entries([9]), false), &[9]);
    assert_eq!(cursors.take(entry(20)).pull, Some(pull(9)));
    shows(cursors.pulled(&pull(9), Vec::new(), false), &[20]);
}

#[test]
fn a_gap_is_fetched_page_by_page() {
    let mut cursors = Cursors::default();
    for seq in 1..=3 {
        cursors.take(entry(seq));
    }
    assert_eq!(cursors.gap("d:1:2", 3, 3), None);
    assert_eq!(cursors.gap("d:1:2", 3, 9), Some(pull(3)));
    assert_eq!(cursors.gap("d:1:2", 3, 9), None);
    shows(cursors.take(entry(10)), &[]);
    let first = cursors.pulled(&pull(3), entries(4..=6), true);
    assert_eq!((first.show.len(), first.pull), (3, Some(pull(6))));
    shows(
        cursors.pulled(&pull(6), entries(7..=9), false),
        &[7, 8, 9, 10],
    );
}

#[test]
fn a_gap_that_is_told_while_a_page_is_read_is_fetched_behind_it() {
    let mut cursors = Cursors::default();
    cursors.take(entry(1));
    assert_eq!(cursors.take(entry(3)).pull, Some(pull(1)));
    assert_eq!(cursors.gap("d:1:2", 3, 9), None);
    // The page was read before the others were there.
    let taken = cursors.pulled(&pull(1), entries([2, 3]), false);
    assert_eq!((taken.show.len(), taken.pull), (2, Some(pull(3))));
    // Asked for once more, and not for ever: the last one is not this user's to see.
    let taken = cursors.pulled(&pull(3), entries(4..=8), false);
    assert_eq!((taken.show.len(), taken.pull), (5, Some(pull(8))));
    shows(cursors.pulled(&pull(8), Vec::new(), false), &[]);
    shows(cursors.take(entry(9)), &[9]);
}

#[test]
fn a_gap_of_a_conversation_that_is_new_begins_where_it_says() {
    let mut cursors = Cursors::default();
    assert_eq!(cursors.gap("d:1:2", 100, 230), Some(pull(100)));
    shows(
        cursors.pulled(&pull(100), entries(101..=230), false),
        &Vec::from_iter(101..=230),
    );
}

#[test]
fn more_than_may_wait_is_fetched_again() {
    let mut cursors = Cursors::default();
    cursors.take(entry(1));
    cursors.gap("d:1:2", 1, 2);
    for seq in 3..=1_002 {
        shows(cursors.take(entry(seq)), &[]);
    }
    let taken = cursors.pulled(&pull(1), entries([2]), false);
    assert_eq!((taken.show.len(), taken.pull), (501, Some(pull(502))));
    shows(
        cursors.pulled(&pull(502), entries(503..=1_002), false),
        &Vec::from_iter(503..=1_002),
    );
}

#[test]
fn a_new_connection_is_told_what_was_shown() {
    let mut cursors = Cursors::default();
    assert!(cursors.sync().is_empty());
    cursors.take(entry(7));
    cursors.take(json!({"type": 5, "event": "read", "conversation": "d:1:2", "seq": 99}).into());
    assert_eq!(
        cursors.sync(),
        [json!({"type": 7, "cursors": {"d:1:2": 7}})]
    );
    for group in 0..200 {
        let key = format!("g:{group}");
        cursors.take(
            json!({"type": 5, "event": "group_joined", "conversation": key, "seq": 1, "id": 9})
                .into(),
        );
    }
    let parts = cursors.sync();
    let sizes = parts
        .iter()
        .map(|part| part["cursors"].as_object().unwrap().len());
    assert_eq!(Vec::from_iter(sizes), [200, 1]);
}
