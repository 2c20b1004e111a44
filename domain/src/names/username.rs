//! Usernames: the profile UsernameCaseMapped of RFC 8265, over the tables of today's Unicode.

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, Script};
use unicode_normalization::UnicodeNormalization as _;

use super::characters::{
    ZWJ, ZWNJ, category, has_compatibility_form, is_blank, is_ignorable, is_letter_or_digit,
    is_of_other_width, is_old_jamo, is_written_as_one,
};
use super::context::{joins_letters, script};
use super::lookalike::skeleton;
use super::{marks, reserved};
use crate::limits::MAX_USERNAME_CHARS;
use crate::validate::{Invalid, invalid};

/// Characters that are looked at before a name is prepared: a syllable of Hangul may be three, a Vietnamese letter too.
const MAX_RAW_CHARS: usize = 4 * MAX_USERNAME_CHARS;

/// A username that may be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    shown: String,
    key: String,
}

impl Username {
    /// Prepares a name that somebody chose: 1–32 letters and digits of any script, `_`, `-`, `.`.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        let name = Self::appointed(text)?;
        if reserved::poses_as_office(&name.shown) || reserved::poses_as_office(&name.key) {
            return invalid("username: this name is for operators to give; choose another.");
        }
        Ok(name)
    }

    /// As [`Self::new`], for accounts that operators make: `admin` is theirs to give.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn appointed(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            return invalid("username: choose one of 1 to 32 characters.");
        }
        let long = || invalid("username: use at most 32 characters.");
        if text.chars().nth(MAX_RAW_CHARS).is_some() {
            return long();
        }
        let (shown, key) = (shown(text), username_key(text));
        let chars: Vec<char> = key.chars().collect();
        if chars.len() > MAX_USERNAME_CHARS {
            return long();
        }
        if !(0..chars.len()).all(|at| may_stand(&chars, at)) {
            return invalid("username: use only letters, digits, '_', '-' and '.'.");
        }
        marks::check("username", &chars)?;
        if !runs_one_way(&chars) {
            return invalid(
                "username: letters that run from right to left go with no others, and come before digits.",
            );
        }
        if looks_like_group(&key) {
            return invalid("username: names like group_42 stand for groups; choose another.");
        }
        if reserved::poses_as_system(&shown) || reserved::poses_as_system(&key) {
            return invalid("username: this name is reserved; choose another.");
        }
        Ok(Self { shown, key })
    }

    /// The name as people see it: as it was chosen, in composed characters of the usual width.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The form under which it is unique and found.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The forms under which an account may be found by a name that somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsernameKeys {
    /// The form under which names are unique.
    pub key: String,
    /// The form that older accounts may have, which could not be given the other because it was taken; `None` where both
    /// are the same.
    pub older: Option<String>,
}

/// How an account of that name is found; `None` for what is too long to be one.
pub fn username_keys(text: &str) -> Option<UsernameKeys> {
    if text.is_empty() || text.chars().nth(MAX_RAW_CHARS).is_some() {
        return None;
    }
    let key = username_key(text);
    let older = Some(text.to_lowercase()).filter(|older| *older != key);
    Some(UsernameKeys { key, older })
}

/// The form under which a username is unique and looked up. Total: also for what may not be registered (any more).
pub fn username_key(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut key = prepare(text);
    // Lower case can make what composes, and what composes can have a lower case.
    for _ in 0..4 {
        let next = prepare(&key);
        if next == key {
            break;
        }
        key = next;
    }
    key
}

fn prepare(text: &str) -> String {
    let mapped: String = shown(text)
        .chars()
        .flat_map(|c| {
            let mapped: String = match is_written_as_one(c) {
                true => std::iter::once(c).nfkc().collect(),
                false => c.into(),
            };
            mapped.chars().collect::<Vec<_>>()
        })
        .collect();
    mapped.to_lowercase().nfc().collect()
}

/// Width mapping, then NFC.
fn shown(text: &str) -> String {
    let mut mapped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_of_other_width(c) {
            mapped.extend(std::iter::once(c).nfkc());
        } else {
            mapped.push(c);
        }
    }
    mapped.nfc().collect()
}

/// The base class of RFC 8264, IdentifierClass, of whose symbols only `_`, `-` and `.` are taken.
fn may_stand(chars: &[char], at: usize) -> bool {
    let c = chars[at];
    match c {
        '_' | '-' | '.' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        // Exceptions, RFC 8264 section 9.6.
        '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '\u{3007}' => true,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => {
            false
        }
        ZWJ | ZWNJ => joins_letters(chars, at),
        '\u{b7}' | '\u{375}' | '\u{5f3}' | '\u{5f4}' | '\u{30fb}' => punctuates_letters(chars, at),
        '\u{660}'..='\u{669}' => !chars.iter().any(|c| matches!(c, '\u{6f0}'..='\u{6f9}')),
        '\u{6f0}'..='\u{6f9}' => !chars.iter().any(|c| matches!(c, '\u{660}'..='\u{669}')),
        c => {
            is_letter_or_digit(c)
                && !is_old_jamo(c)
                && !is_ignorable(c)
                && !is_blank(c)
                && !has_compatibility_form(c)
        }
    }
}

/// CONTEXTO of RFC 5892, appendix A.3 to A.7.
fn punctuates_letters(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|b| chars[b]);
    let after = chars.get(at + 1).copied();
    match chars[at] {
        '\u{b7}' => before == Some('l') && after == Some('l'),
        '\u{375}' => after.is_some_and(|c| script(c) == Script::Greek),
        '\u{5f3}' | '\u{5f4}' => before.is_some_and(|c| script(c) == Script::Hebrew),
        _ => chars
            .iter()
            .any(|&c| matches!(script(c), Script::Hiragana | Script::Katakana | Script::Han)),
    }
}

/// The Bidi Rule of RFC 5893: what is written is read in the same order, wherever it stands.
fn runs_one_way(chars: &[char]) -> bool {
    use icu_properties::props::BidiClass as B;
    let classes: Vec<B> = chars
        .iter()
        .map(|&c| CodePointMapData::<B>::new().get(c))
        .collect();
    let rtl = |c: &B| matches!(*c, B::RightToLeft | B::ArabicLetter | B::ArabicNumber);
    if !classes.iter().any(rtl) {
        return true;
    }
    let neutral = |c: B| {
        matches!(
            c,
            B::EuropeanNumber
                | B::EuropeanSeparator
                | B::CommonSeparator
                | B::EuropeanTerminator
                | B::OtherNeutral
                | B::BoundaryNeutral
                | B::NonspacingMark
        )
    };
    let last = classes
        .iter()
        .rev()
        .copied()
        .find(|c| *c != B::NonspacingMark);
    let right_to_left = matches!(classes[0], B::RightToLeft | B::ArabicLetter);
    let has = |class: B| classes.contains(&class);
    right_to_left
        && classes.iter().all(|&c| rtl(&c) || neutral(c))
        && last.is_some_and(|c| rtl(&c) || c == B::EuropeanNumber)
        && !(has(B::EuropeanNumber) && has(B::ArabicNumber))
}

/// `group_42`, and whatever looks like it.
fn looks_like_group(key: &str) -> bool {
    let Some((word, number)) = key.split_once('_') else {
        return false;
    };
    !number.is_empty()
        && number
            .chars()
            .all(|c| category(c) == GeneralCategory::DecimalNumber)
        && skeleton(word) == skeleton("group")
}
