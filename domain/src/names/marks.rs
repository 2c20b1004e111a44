//! Marks over and under letters: enough for every language, not enough to climb over the lines around.

use super::characters::{is_mark, is_nonspacing};
use crate::validate::{Invalid, invalid};

/// Marks in a row that take no room of their own: UTS 39, section 5.4.
const MAX_IN_A_ROW: usize = 4;

/// A mark needs a letter before it, and no letter carries a heap of them.
pub(super) fn check(field: &str, chars: &[char]) -> Result<(), Invalid> {
    if chars
        .first()
        .is_some_and(|&c| is_mark(c) || is_nonspacing(c))
    {
        return invalid(format!(
            "{field}: begin with a letter; the first character is a mark that belongs on one."
        ));
    }
    let mut row = 0;
    for &c in chars {
        row = if is_nonspacing(c) { row + 1 } else { 0 };
        if row > MAX_IN_A_ROW {
            return invalid(format!(
                "{field}: use at most {MAX_IN_A_ROW} marks on one letter."
            ));
        }
    }
    Ok(())
}
