//! What the checker says of runs and their effects.

use super::fine;
use crate::evidence::checker::{Broken, check};

#[test]
fn a_lost_run_is_found() {
    let mut recording = fine();
    recording.runs[0].ends.clear();
    assert!(matches!(check(&recording)[..], [Broken::RunLost(_)]));
    let mut recording = fine();
    recording.unfinished.push("run".to_owned());
    assert!(matches!(check(&recording)[..], [Broken::RunLost(_)]));
}

#[test]
fn a_run_that_ends_twice_or_says_two_things_is_found() {
    let mut recording = fine();
    recording.runs[0].ends.push("done".to_owned());
    assert!(matches!(check(&recording)[..], [Broken::RunEnds { .. }]));
    let mut recording = fine();
    recording.runs[0].replayed.0 = vec!["error".to_owned()];
    assert!(matches!(check(&recording)[..], [Broken::RunEnds { .. }]));
    let mut recording = fine();
    recording.runs[0].text.push('!');
    assert!(matches!(check(&recording)[..], [Broken::RunTexts { .. }]));
}

#[test]
fn an_effect_that_happens_twice_or_never_is_found() {
    for count in [0, 2] {
        let mut recording = fine();
        recording.effects[0].count = count;
        assert!(matches!(check(&recording)[..], [Broken::Effect { .. }]));
    }
}
