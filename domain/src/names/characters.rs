//! What single characters are, by the Unicode Character Database.

pub(crate) use icu_properties::props::GeneralCategory as Category;
use icu_properties::props::{
    BidiControl, DefaultIgnorableCodePoint, EastAsianWidth, Emoji, EmojiPresentation,
    ExtendedPictographic, HangulSyllableType,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization as _;

pub(super) const ZWNJ: char = '\u{200c}';
pub(super) const ZWJ: char = '\u{200d}';

pub(crate) fn category(c: char) -> Category {
    CodePointMapData::<Category>::new().get(c)
}

/// Controls, and what ends a line wherever it is shown.
pub(super) fn is_control(c: char) -> bool {
    matches!(
        category(c),
        Category::Control | Category::LineSeparator | Category::ParagraphSeparator
    )
}

/// What turns the direction of the text around it.
pub(super) fn is_bidi_control(c: char) -> bool {
    CodePointSetData::new::<BidiControl>().contains(c)
}

/// What is shown as nothing at all.
pub(crate) fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// What counts as a symbol or letter, and is shown as an empty place: BRAILLE PATTERN BLANK, OBJECT REPLACEMENT
/// CHARACTER, the two blanks of Egyptian, the musical null notehead.
pub(super) fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{2800}' | '\u{fffc}' | '\u{13441}' | '\u{13442}' | '\u{1d159}'
    )
}

pub(super) fn is_emoji(c: char) -> bool {
    CodePointSetData::new::<Emoji>().contains(c)
}

/// Shown as an emoji without being asked to.
pub(super) fn is_emoji_presentation(c: char) -> bool {
    CodePointSetData::new::<EmojiPresentation>().contains(c)
}

pub(crate) fn is_pictographic(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

/// The skin tones.
pub(crate) fn is_emoji_modifier(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// A letter or a digit, as RFC 8264 has them.
pub(super) fn is_letter_or_digit(c: char) -> bool {
    is_mark(c)
        || matches!(
            category(c),
            Category::LowercaseLetter
                | Category::UppercaseLetter
                | Category::OtherLetter
                | Category::ModifierLetter
                | Category::DecimalNumber
        )
}

/// A mark that may stand in a word.
pub(crate) fn is_mark(c: char) -> bool {
    matches!(
        category(c),
        Category::NonspacingMark | Category::SpacingMark
    )
}

/// A mark that takes no room of its own.
pub(super) fn is_nonspacing(c: char) -> bool {
    matches!(
        category(c),
        Category::NonspacingMark | Category::EnclosingMark
    )
}

pub(super) fn is_space(c: char) -> bool {
    category(c) == Category::SpaceSeparator
}

/// Letters, digits, punctuation and symbols: something to see.
pub(super) fn is_visible(c: char) -> bool {
    !is_nonspacing(c) && !is_control(c) && !is_space(c) && !is_ignorable(c) && !is_blank(c)
}

/// The parts of which Hangul syllables were once put together.
pub(super) fn is_old_jamo(c: char) -> bool {
    matches!(
        CodePointMapData::<HangulSyllableType>::new().get(c),
        HangulSyllableType::LeadingJamo
            | HangulSyllableType::VowelJamo
            | HangulSyllableType::TrailingJamo
    )
}

/// The wide form of a narrow character and the other way round: the width mapping of RFC 8265.
pub(super) fn is_of_other_width(c: char) -> bool {
    matches!(
        CodePointMapData::<EastAsianWidth>::new().get(c),
        EastAsianWidth::Fullwidth | EastAsianWidth::Halfwidth
    )
}

/// Whether it is another way to write other characters.
pub(super) fn has_compatibility_form(c: char) -> bool {
    !std::iter::once(c).nfkc().eq(std::iter::once(c))
}

/// Letters of Thai and Lao that count as two, and that people write as one: their compatibility form looks wrong behind
/// a tone mark, and is no other name.
pub(super) fn is_written_as_one(c: char) -> bool {
    matches!(c, '\u{e33}' | '\u{eb3}' | '\u{edc}' | '\u{edd}')
}
