//! The form in which names are searched, and the parts by which a keyword finds them.

use std::collections::BTreeSet;

use icu_casemap::CaseMapper;
use unicode_normalization::UnicodeNormalization as _;

use super::characters::{is_control, is_ignorable, is_letter_or_digit};
use super::spaces::spaced;
use crate::limits::MAX_NAME_CHARS;
use crate::validate::{Invalid, invalid};

/// The longest part by which a name is found, in characters: a whole username.
pub const MAX_PART_CHARS: usize = 32;
/// The most parts of one name.
const MAX_PARTS: usize = 96;

/// A keyword, folded, to search names for.
///
/// # Errors
/// One sentence that says what to change.
pub fn keyword(text: &str) -> Result<String, Invalid> {
    if text.chars().nth(8 * MAX_NAME_CHARS).is_some() {
        return invalid(format!("keyword: use at most {MAX_NAME_CHARS} characters."));
    }
    if text.trim().chars().any(is_control) {
        return invalid("keyword: use one line, without control characters.");
    }
    let keyword = fold(text.trim());
    if keyword.is_empty() {
        return invalid("keyword: give at least one visible character.");
    }
    if keyword.chars().nth(MAX_NAME_CHARS).is_some() {
        return invalid(format!("keyword: use at most {MAX_NAME_CHARS} characters."));
    }
    Ok(keyword)
}

/// A name without regard to case, width and form: the same for what people would call the same letters (`Straße` and
/// `STRASSE`, `Алиса` and `алиса`, `ＡＢＣ` and `abc`). The dotted and the dotless `i` of Turkish are one. Spaces are single,
/// what cannot be seen is left out.
pub fn fold(text: &str) -> String {
    let mut folded = fold_once(text);
    for _ in 0..4 {
        let next = fold_once(&folded);
        if next == folded {
            break;
        }
        folded = next;
    }
    folded
}

fn fold_once(text: &str) -> String {
    if text.is_ascii() && !text.bytes().any(|b| b.is_ascii_control()) {
        return spaced(&text.to_ascii_lowercase());
    }
    let seen = text.nfkc().filter(|&c| !is_ignorable(c));
    let seen: String = seen.map(|c| if is_control(c) { ' ' } else { c }).collect();
    let folded = CaseMapper::new().fold_string(&seen);
    let folded: String = folded.nfkc().collect();
    spaced(&folded.replace("i\u{307}", "i").replace('ı', "i"))
}

/// The parts of names, folded already, by which [`matched`] finds them: what begins at each of their letters, and whether
/// that is inside a word.
pub fn parts<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<(bool, String)> {
    let places = names.into_iter().flat_map(places);
    places
        .map(|(inside, rest)| (inside, head(rest).to_owned()))
        .collect()
}

/// The first of the parts of these names at which `keyword` is found; `None` where it is in none of them. All folded.
pub fn matched<'a>(
    keyword: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<(bool, String)> {
    // Of a keyword that is longer than a part, the rest is looked for in the name.
    let found = |(_, rest): &(bool, &str)| rest.starts_with(keyword);
    let places = names.into_iter().flat_map(places).filter(found);
    let first = places.map(|(inside, rest)| (inside, head(rest))).min();
    first.map(|(inside, part)| (inside, part.to_owned()))
}

/// What begins at each letter of a name, and whether that is inside a word.
fn places(name: &str) -> impl Iterator<Item = (bool, &str)> {
    let before = std::iter::once(' ').chain(name.chars());
    name.char_indices()
        .zip(before)
        .take(MAX_PARTS)
        .filter(|((_, c), _)| *c != ' ')
        .map(|((at, _), before)| (is_letter_or_digit(before), &name[at..]))
}

/// As much of a text as a part has.
fn head(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_PART_CHARS);
    end.map_or(text, |(at, _)| &text[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_in_any_case_is_one_word() {
        for (one, other) in [
            ("Алиса", "алиса"),
            ("ÄRGER", "ärger"),
            ("A\u{308}RGER", "ärger"),
            ("Straße", "STRASSE"),
            ("ＡＢＣ", "abc"),
            ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
            ("İstanbul", "ISTANBUL"),
            ("ısparta", "Isparta"),
            ("ﬁsh", "FISH"),
            ("ﾜﾀｼ", "ワタシ"),
            ("❤\u{fe0f}", "❤"),
            ("①", "1"),
            ("Ꮳ", "ꮳ"),
            ("a\u{3000} b", "A B"),
            ("ᾳ", "ᾼ"),
            ("ŉ", "ʼN"),
            ("ǰ", "J\u{30c}"),
            ("น้ำ", "น\u{e49}\u{e4d}า"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
            assert_eq!(fold(&fold(one)), fold(one), "{one}");
        }
        assert_ne!(fold("zoë"), fold("zoe"), "an accent makes another letter");
    }

    #[test]
    fn keywords() {
        assert_eq!(keyword(" BoB\n").as_deref(), Ok("bob"));
        for bad in ["", "  ", "\u{200b}", "a\nb", "a\u{2028}b", &"x".repeat(65)] {
            assert!(keyword(bad).is_err(), "{bad:?}");
        }
        assert!(keyword(&"x".repeat(64)).is_ok());
    }

    #[test]
    fn a_name_is_found_by_what_begins_at_each_letter() {
        let names = || ["li ming", "an"];
        let parts: Vec<_> = parts(names()).into_iter().collect();
        let expected = [
            (false, "an"),
            (false, "li ming"),
            (false, "ming"),
            (true, "g"),
            (true, "i ming"),
            (true, "ing"),
            (true, "n"),
            (true, "ng"),
        ];
        assert_eq!(
            parts,
            expected.map(|(inside, part)| (inside, part.to_owned()))
        );
        assert_eq!(matched("ming", names()), Some((false, "ming".into())));
        assert_eq!(matched("n", names()), Some((true, "n".into())));
        assert_eq!(matched("x", names()), None);
        let long = "x".repeat(40) + "y";
        assert_eq!(
            matched(&long[1..], [long.as_str()]),
            Some((true, "x".repeat(32)))
        );
        assert_eq!(matched(&"x".repeat(41), [long.as_str()]), None);
    }
}
