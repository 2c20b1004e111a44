//! Characters that are shown as nothing, where a script or an emoji needs them.

use icu_properties::CodePointMapData;
use icu_properties::props::{CanonicalCombiningClass, JoiningType, Script};

use super::characters::{ZWJ, ZWNJ, is_emoji, is_emoji_modifier, is_pictographic};

const FLAG: char = '\u{1f3f4}';
const TAG_END: char = '\u{e007f}';
const KEYCAP: char = '\u{20e3}';
const EMOJI_STYLE: char = '\u{fe0f}';

pub(super) fn script(c: char) -> Script {
    CodePointMapData::<Script>::new().get(c)
}

fn joining(c: char) -> JoiningType {
    CodePointMapData::<JoiningType>::new().get(c)
}

/// Whether the joiner at `at` is where a word needs it: rule CONTEXTJ of RFC 5892, appendix A.1 and A.2.
pub(super) fn joins_letters(chars: &[char], at: usize) -> bool {
    let Some((&before, _)) = chars.get(..at).and_then(<[char]>::split_last) else {
        return false;
    };
    if CodePointMapData::<CanonicalCombiningClass>::new().get(before)
        == CanonicalCombiningClass::Virama
    {
        return true;
    }
    let open = |c: &&char| joining(**c) != JoiningType::Transparent;
    let left = chars[..at].iter().rev().find(open);
    let right = chars[at + 1..].iter().find(open);
    chars[at] == ZWNJ
        && left.is_some_and(|&c| {
            matches!(
                joining(c),
                JoiningType::LeftJoining | JoiningType::DualJoining
            )
        })
        && right.is_some_and(|&c| {
            matches!(
                joining(c),
                JoiningType::RightJoining | JoiningType::DualJoining
            )
        })
}

/// Whether the invisible character at `at` belongs to an emoji, or chooses the shape of a letter.
pub(super) fn shapes(chars: &[char], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|b| chars[b]) else {
        return false;
    };
    match chars[at] {
        ZWJ => {
            let next = chars.get(at + 1).is_some_and(|&c| is_pictographic(c));
            next && (is_pictographic(before)
                || is_emoji_modifier(before)
                || before == EMOJI_STYLE
                || before == KEYCAP
                || before == TAG_END)
        }
        '\u{fe0e}' | EMOJI_STYLE => is_emoji(before),
        // Variants of ideographs, as Japanese names have them.
        '\u{e0100}'..='\u{e01ef}' => script(before) == Script::Han,
        '\u{180b}'..='\u{180d}' | '\u{180f}' => script(before) == Script::Mongolian,
        '\u{e0020}'..=TAG_END => in_flag(chars, at),
        _ => false,
    }
}

/// Whether the tag at `at` stands in a flag of a region: a black flag, tags, and their end.
fn in_flag(chars: &[char], at: usize) -> bool {
    let is_tag = |c: &char| matches!(c, '\u{e0020}'..='\u{e007e}');
    let tags = chars[..at].iter().rev().take_while(|c| is_tag(c)).count();
    let base = at
        .checked_sub(tags + 1)
        .is_some_and(|base| chars[base] == FLAG);
    let end = chars[at..].iter().find(|c| !is_tag(c));
    let some = tags > 0 || chars[at] != TAG_END;
    base && some && end == Some(&TAG_END)
}
