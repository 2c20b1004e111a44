//! What somebody looks for.

use super::characters::{Class, class};
use super::fold::fold;
use super::keys::{of_prefix, of_row, runs};
use crate::validate::{Invalid, invalid};

/// The longest keyword, in characters.
const MAX_CHARS: usize = 128;
/// Words of a keyword.
const MAX_WORDS: usize = 8;
/// Ranges that an index is asked for: of a longer keyword those that say most.
const MAX_RANGES: usize = 8;

/// One or more words, all of which a text is to have, in any order: a word of letters begins a word of the text, a word of
/// signs stands anywhere in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    words: Vec<String>,
    ranges: Vec<(u32, u32)>,
}

impl Keyword {
    /// Reads a keyword as somebody wrote it.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        if text.chars().nth(MAX_CHARS).is_some() {
            return invalid("keyword: use at most 128 characters.");
        }
        let folded = fold(text);
        let words: Vec<String> = folded.split_whitespace().map(str::to_owned).collect();
        if words.len() > MAX_WORDS {
            return invalid("keyword: use at most eight words.");
        }
        let mut ranges = Vec::new();
        for word in &words {
            runs(word, |class, run| match class {
                Class::Word => ranges.extend(of_prefix(run)),
                _ => ranges.extend(of_row(run)),
            });
        }
        if ranges.is_empty() {
            return invalid(
                "keyword: give two letters of a word, one Chinese character or one emoji at least.",
            );
        }
        // The narrowest first: few texts have them.
        ranges.sort_unstable_by_key(|&(first, last)| (last - first, first));
        ranges.dedup();
        ranges.truncate(MAX_RANGES);
        Ok(Self { words, ranges })
    }

    /// The ranges of keys, first and last, of each of which a text has one if it has the keyword; the narrowest first.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Whether a text has it.
    pub fn finds(&self, text: &str) -> bool {
        let folded = fold(text);
        self.words
            .iter()
            .all(|word| place(&folded, word, 0).is_some())
    }

    /// Where its words stand in a folded text, first and behind, in order; those that overlap as one.
    pub(super) fn places(&self, folded: &str, most: usize) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        for word in &self.words {
            let mut from = 0;
            while let Some(at) = place(folded, word, from)
                && all.len() < most * self.words.len()
            {
                from = at + word.len();
                all.push((at, from));
            }
        }
        all.sort_unstable();
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(all.len());
        for (begin, end) in all {
            match places.last_mut() {
                Some(last) if begin <= last.1 => last.1 = last.1.max(end),
                _ => places.push((begin, end)),
            }
        }
        places.truncate(most);
        places
    }
}

/// The first place from `from` on where a word of letters begins so, or where a word of signs stands.
fn place(folded: &str, word: &str, from: usize) -> Option<usize> {
    let begins_a_word = word.chars().next().map(class) == Some(Class::Word);
    let mut begin = from;
    loop {
        let at = begin + folded.get(begin..)?.find(word)?;
        let before = folded[..at].chars().next_back().map(class);
        if !begins_a_word || before != Some(Class::Word) {
            return Some(at);
        }
        begin = at + word.chars().next().map_or(1, char::len_utf8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::keys;

    /// Whether the keyword is in the text, and the index would have named the text.
    fn finds(keyword: &str, text: &str) -> bool {
        let keyword = Keyword::new(keyword).expect("a keyword");
        let keys = keys(text);
        let is_named = keyword
            .ranges()
            .iter()
            .all(|&(first, last)| keys.iter().any(|key| (first..=last).contains(key)));
        let found = keyword.finds(text);
        assert!(
            is_named || !found,
            "{keyword:?} is in {text}, and its keys are not"
        );
        found
    }

    #[test]
    fn what_is_found() {
        for (keyword, text) in [
            ("天气", "今天天气很好"),
            ("天", "今天"),
            ("好", "很好"),
            ("👍", "ok 👍🏽!"),
            ("👍🏽", "👍"),
            ("👩‍💻", "me 👩‍💻 at work"),
            ("he", "Hello"),
            ("HEL", "say hello"),
            ("hello", "Hello, world"),
            ("world hello", "Hello, world"),
            ("при", "ПРИВЕТ"),
            ("strasse", "Hauptstr. / Straße"),
            ("c++", "C++ and Rust"),
            ("foo-bar", "a foo-barrel"),
            ("你好abc", "说你好abcd"),
            ("2026", "on 2026-11-27"),
            ("internationalis", "Internationalisation"),
            ("ไทย", "ภาษาไทยง่าย"),
            ("한글", "나는 한글을"),
            ("तम", "तमिल"),
            ("€", "5 €"),
            ("plan a", "Plan A is better"),
            ("ｆｕｌｌ", "Full"),
        ] {
            assert!(finds(keyword, text), "{keyword} in {text}");
        }
    }

    #[test]
    fn what_is_not() {
        for (keyword, text) in [
            ("天气", "天好气"),
            ("ello", "hello"),
            ("hello there", "hello world"),
            ("world", "wonder"),
            ("👎", "👍"),
            ("你好", "您好"),
        ] {
            assert!(!finds(keyword, text), "{keyword} in {text}");
        }
    }

    #[test]
    fn what_is_no_keyword() {
        let long = "a".repeat(129);
        for text in [
            "",
            " ",
            "a",
            "!?",
            "。",
            "a b c",
            &long,
            "aa bb cc dd ee ff gg hh ii",
        ] {
            assert!(Keyword::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn places_are_in_order_and_do_not_overlap() {
        let keyword = Keyword::new("天天 天气").unwrap();
        assert_eq!(keyword.places("今天天气", 8), [(3, 12)]);
        let keyword = Keyword::new("go").unwrap();
        assert_eq!(keyword.places("go ego gone", 8), [(0, 2), (7, 9)]);
        assert_eq!(keyword.places(&"go ".repeat(100), 8).len(), 8);
    }
}
