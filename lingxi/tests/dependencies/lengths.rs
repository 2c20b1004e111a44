//! Files stay short: what one has to read at a time, and what two people change at a time.

use crate::members::product;

/// Nine files of ten are no longer than this. Tests inside a file count, those in files of their own do not.
const MOST: usize = 250;
/// None is longer.
const LONGEST: usize = 300;

#[test]
fn files_are_short() {
    let mut lengths = Vec::new();
    for (name, source) in product() {
        let files = source.lines.into_iter();
        lengths.extend(files.map(|(file, lines)| (lines, name.clone(), file)));
    }
    lengths.sort();
    let longer: Vec<_> = lengths
        .iter()
        .filter(|(lines, ..)| *lines > LONGEST)
        .collect();
    assert!(
        longer.is_empty(),
        "longer than {LONGEST} lines: {longer:#?}"
    );
    let (p90, ..) = lengths[lengths.len() * 9 / 10];
    assert!(
        p90 <= MOST,
        "a tenth of the files has more than {MOST} lines: {p90}"
    );
}
