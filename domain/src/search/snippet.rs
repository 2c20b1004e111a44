//! The part of a text where a keyword stands.

use schemars::JsonSchema;
use serde::Serialize;

use super::Keyword;
use super::fold::Placed;

/// Characters that are shown before the first place.
const BEFORE: usize = 20;
/// Characters of a snippet.
const LENGTH: usize = 120;
/// Places that are marked.
const MARKS: usize = 16;
/// Of a longer text, so many bytes are looked through for places.
const LOOKED_AT: usize = 16 * 1024;

/// A part of a message, with the places of what was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Snippet {
    /// The text, with `…` where it was cut.
    pub text: String,
    /// First and behind, in UTF-16 code units of `text`, as JavaScript counts: `text.slice(first, behind)`.
    pub marks: Vec<(usize, usize)>,
}

impl Keyword {
    /// The part of a text where it stands first.
    pub fn snippet(&self, text: &str) -> Snippet {
        let looked_at = &text[..text.floor_char_boundary(LOOKED_AT)];
        let placed = Placed::new(looked_at);
        let places = self.places(&placed.text, MARKS);
        let places: Vec<(usize, usize)> = places
            .into_iter()
            .map(|(begin, end)| placed.original(begin, end))
            .collect();
        let first = places.first().map_or(0, |(begin, _)| *begin);
        let before = text[..first].char_indices().rev().nth(BEFORE - 1);
        let begin = before.map_or(0, |(at, _)| at);
        let end = text[begin..].char_indices().nth(LENGTH);
        let end = end.map_or(text.len(), |(at, _)| begin + at);

        let mut shown = String::with_capacity(end - begin + 6);
        if begin > 0 {
            shown.push('…');
        }
        let shift = shown.encode_utf16().count();
        let shown_part = &text[begin..end];
        shown.push_str(shown_part);
        if end < text.len() {
            shown.push('…');
        }
        let units = |at: usize| shift + text[begin..at].encode_utf16().count();
        let marks = places
            .into_iter()
            .take_while(|(first, _)| *first < end)
            .map(|(first, behind)| (units(first), units(behind.min(end))));
        Snippet {
            marks: marks.collect(),
            text: shown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(keyword: &str, text: &str) -> (String, Vec<String>) {
        let snippet = Keyword::new(keyword).unwrap().snippet(text);
        let units: Vec<u16> = snippet.text.encode_utf16().collect();
        let marks = snippet.marks.iter();
        let marks =
            marks.map(|&(first, behind)| String::from_utf16(&units[first..behind]).unwrap());
        (snippet.text.clone(), marks.collect())
    }

    #[test]
    fn the_places_are_marked() {
        let (text, marks) = marked("天气", "😀今天天气很好,天气!");
        assert_eq!(text, "😀今天天气很好,天气!");
        assert_eq!(marks, ["天气", "天气"]);
        let (_, marks) = marked("strasse", "die STRAẞE");
        assert_eq!(marks, ["STRAẞE"]);
        let (_, marks) = marked("👍", "so 👍🏽");
        assert_eq!(marks, ["👍🏽"]);
    }

    #[test]
    fn a_long_text_is_cut_around_the_first() {
        let long = format!("{} needle {}", "很".repeat(500), "x ".repeat(500));
        let (text, marks) = marked("needle", &long);
        assert!(text.starts_with('…') && text.ends_with('…'), "{text}");
        assert_eq!(text.chars().count(), LENGTH + 2);
        assert_eq!(marks, ["needle"]);
        let (text, marks) = marked("很", &"很".repeat(30_000));
        assert_eq!(text.chars().count(), LENGTH + 1);
        assert!(!marks.is_empty());
    }
}
