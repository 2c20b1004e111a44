//! Texts without regard to case, width, form and skin tone.

use std::borrow::Cow;

use crate::names;
use crate::names::characters::{is_emoji_modifier, is_ignorable, is_mark};

/// The text in the form in which it is searched.
pub(super) fn fold(text: &str) -> String {
    names::fold(&untoned(text))
}

/// Whatever its skin, it is the same emoji.
fn untoned(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_emoji_modifier) {
        return text.into();
    }
    text.chars().filter(|&c| !is_emoji_modifier(c)).collect()
}

/// A folded text that knows where each part of it stood.
pub(super) struct Placed {
    pub(super) text: String,
    /// Of each part: where it begins in the folded text, and in the original. The end of both is the last one.
    parts: Vec<(usize, usize)>,
}

impl Placed {
    /// Folds a text letter by letter, each with the marks on it.
    pub(super) fn new(original: &str) -> Self {
        let mut placed = Self {
            text: String::with_capacity(original.len()),
            parts: Vec::new(),
        };
        let mut rest = original.char_indices().peekable();
        while let Some((begin, first)) = rest.next() {
            let mut end = begin + first.len_utf8();
            while let Some((at, next)) = rest.next_if(|&(_, next)| attaches(next)) {
                end = at + next.len_utf8();
            }
            placed.parts.push((placed.text.len(), begin));
            let letter = &original[begin..end];
            if letter.chars().all(char::is_whitespace) {
                if !placed.text.ends_with(' ') {
                    placed.text.push(' ');
                }
            } else {
                placed.text.push_str(&fold(letter));
            }
        }
        placed.parts.push((placed.text.len(), original.len()));
        placed
    }

    /// Where a stretch of the folded text stood.
    pub(super) fn original(&self, begin: usize, end: usize) -> (usize, usize) {
        let first = self.parts.partition_point(|&(folded, _)| folded <= begin);
        let last = self.parts.partition_point(|&(folded, _)| folded < end);
        let place = |number: usize| {
            let number = number.min(self.parts.len() - 1);
            self.parts[number].1
        };
        (place(first.saturating_sub(1)), place(last))
    }
}

/// Whether it belongs to the letter before it.
fn attaches(c: char) -> bool {
    match c {
        '\0'..'\u{300}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' => false,
        // The vowels and endings of Korean syllables that are written letter by letter.
        '\u{1160}'..='\u{11ff}' => true,
        _ => is_mark(c) || is_ignorable(c) || is_emoji_modifier(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_again() {
        let original = "Ａ\u{308}b 你好👍🏽ﬁx";
        let placed = Placed::new(original);
        assert_eq!(placed.text, "äb 你好👍fix");
        let found = |part: &str| {
            let begin = placed.text.find(part).unwrap();
            let (begin, end) = placed.original(begin, begin + part.len());
            &original[begin..end]
        };
        assert_eq!(found("ä"), "Ａ\u{308}");
        assert_eq!(found("你好"), "你好");
        assert_eq!(found("👍"), "👍🏽");
        assert_eq!(found("f"), "ﬁ", "half a ligature is all of it");
        assert_eq!(found("x"), "x");
        assert_eq!(found("äb 你好👍fix"), original);
    }

    #[test]
    fn letter_by_letter_is_as_a_whole() {
        for text in [
            "Straße ÄRGER",
            "İstanbul ısparta",
            "ΣΊΣΥΦΟΣ",
            "한글 가",
            "ﾜﾀｼ",
            "A\u{308}\u{301}x",
            "  a\n\nb ",
        ] {
            assert_eq!(Placed::new(text).text.trim(), fold(text), "{text}");
        }
    }
}
