//! How a folded text falls into what can be looked for.

use icu_properties::CodePointMapData;
use icu_properties::props::Script;

use crate::names::characters::{Category, category, is_pictographic};

/// What a character is to a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Of a word: found from its beginning on.
    Word,
    /// By itself: of a script that is written without spaces, a syllable, a symbol, an emoji. Found wherever it stands.
    Sign,
    /// Between them.
    Gap,
}

pub(super) fn class(c: char) -> Class {
    match c {
        '0'..='9' | 'a'..='z' => Class::Word,
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' => Class::Sign,
        _ => looked_up(c),
    }
}

fn looked_up(c: char) -> Class {
    let kind = category(c);
    match kind {
        Category::MathSymbol
        | Category::CurrencySymbol
        | Category::ModifierSymbol
        | Category::OtherSymbol => Class::Sign,
        Category::UppercaseLetter
        | Category::LowercaseLetter
        | Category::TitlecaseLetter
        | Category::ModifierLetter
        | Category::OtherLetter
        | Category::NonspacingMark
        | Category::SpacingMark
        | Category::EnclosingMark
        | Category::DecimalNumber
        | Category::LetterNumber
        | Category::OtherNumber => {
            if is_unspaced(c) {
                Class::Sign
            } else {
                Class::Word
            }
        }
        _ if is_pictographic(c) => Class::Sign,
        _ => Class::Gap,
    }
}

/// Of a script without spaces between its words, or of one whose words are looked for by their syllables.
fn is_unspaced(c: char) -> bool {
    let script = CodePointMapData::<Script>::new().get(c);
    [
        Script::Han,
        Script::Hiragana,
        Script::Katakana,
        Script::Bopomofo,
        Script::Hangul,
        Script::Yi,
        Script::Thai,
        Script::Lao,
        Script::Khmer,
        Script::Myanmar,
        Script::Tibetan,
    ]
    .contains(&script)
        // Their long vowel mark is of no script.
        || c == 'ー'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_signs() {
        for c in ['a', '5', 'я', 'é', 'ß', 'ע', 'ह', 'ा'] {
            assert_eq!(class(c), Class::Word, "{c}");
        }
        for c in ['你', 'カ', 'ー', '한', 'ก', '่', '👍', '€', '☆', '🇨'] {
            assert_eq!(class(c), Class::Sign, "{c}");
        }
        for c in [' ', ',', '。', '-', '"', '(', '\t'] {
            assert_eq!(class(c), Class::Gap, "{c}");
        }
    }
}
