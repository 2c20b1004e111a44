//! What an index keeps of a text: a few bits for each of its words and signs.
//!
//! A key of a word says how it begins: sixteen bits for its first two letters, six for the third, six for the fourth; longer
//! words have one or two keys more. A key of a sign has sixteen bits for itself, and twelve for the one behind it. So what is
//! looked for is a range of keys, also where only a word's first letters or a single sign is known.

use super::characters::{Class, class};
use super::fold::fold;
use crate::hash::fnv1a;

/// The bits of a key. They are stored: what a key means must never change.
pub const KEY_BITS: u32 = 28;

/// Letters of a word from which on it has keys of its own beside how it begins.
const LONG: [usize; 2] = [9, 6];

/// The keys of a text, in order, each once.
pub fn keys(text: &str) -> Vec<u32> {
    let mut keys = Vec::new();
    runs(&fold(text), |class, run| match class {
        Class::Word => of_word(run, &mut keys),
        _ => of_signs(run, &mut keys),
    });
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Calls `each` for every word, and for every row of signs, of a folded text.
pub(super) fn runs<'t>(folded: &'t str, mut each: impl FnMut(Class, &'t str)) {
    let mut begin = 0;
    let mut before = Class::Gap;
    for (at, c) in folded.char_indices() {
        let now = class(c);
        if now != before {
            if before != Class::Gap {
                each(before, &folded[begin..at]);
            }
            (begin, before) = (at, now);
        }
    }
    if before != Class::Gap {
        each(before, &folded[begin..]);
    }
}

fn of_word(word: &str, keys: &mut Vec<u32>) {
    keys.push(beginning(word));
    keys.extend(LONG.iter().filter_map(|&letters| long(word, letters)));
}

fn of_signs(signs: &str, keys: &mut Vec<u32>) {
    let mut next = signs.chars();
    next.next();
    for sign in signs.chars() {
        keys.push(pair(sign, next.next()));
    }
}

/// The ranges of keys, first and last, of which a text that has this word, or one that begins so, has one each; none for a
/// single letter.
pub(super) fn of_prefix(word: &str) -> Option<(u32, u32)> {
    let letters = word.chars().count();
    if letters < 2 {
        return None;
    }
    if let Some(key) = LONG.iter().find_map(|&long_one| long(word, long_one)) {
        return Some((key, key));
    }
    let key = beginning(word);
    let open = match letters {
        2 => (1 << 12) - 1,
        3 => (1 << 6) - 1,
        _ => 0,
    };
    Some((key, key | open))
}

/// The same for a row of signs.
pub(super) fn of_row(signs: &str) -> Vec<(u32, u32)> {
    let row: Vec<char> = signs.chars().collect();
    if let [sign] = row[..] {
        let first = u32::from(sixteen(&[sign])) << 12;
        return vec![(first, first | ((1 << 12) - 1))];
    }
    let pairs = row.windows(2).map(|two| pair(two[0], Some(two[1])));
    pairs.map(|key| (key, key)).collect()
}

fn beginning(word: &str) -> u32 {
    let mut letters = word.chars();
    let two: Vec<char> = letters.by_ref().take(2).collect();
    let mut six = || letters.next().map_or(0, |letter| some_bits(letter, 6));
    (u32::from(sixteen(&two)) << 12) | (six() << 6) | six()
}

/// Of a word that has so many letters.
fn long(word: &str, letters: usize) -> Option<u32> {
    let (at, last) = word.char_indices().nth(letters - 1)?;
    let head = &word[..at + last.len_utf8()];
    let hash = fnv1a(head.bytes().chain([0]));
    Some(low(hash ^ (hash >> 32), KEY_BITS))
}

fn pair(sign: char, next: Option<char>) -> u32 {
    let behind = next.map_or(0, |next| some_bits(next, 12));
    (u32::from(sixteen(&[sign])) << 12) | behind
}

fn sixteen(letters: &[char]) -> u16 {
    let hash = hash(letters);
    (low(hash ^ (hash >> 32), 16)) as u16
}

/// Never 0, which stands for nothing.
fn some_bits(letter: char, bits: u32) -> u32 {
    let hash = hash(&[letter]) >> 8;
    (hash % u64::from((1_u32 << bits) - 1)) as u32 + 1
}

fn hash(letters: &[char]) -> u64 {
    let bytes = letters
        .iter()
        .flat_map(|&letter| u32::from(letter).to_le_bytes());
    fnv1a(bytes)
}

fn low(hash: u64, bits: u32) -> u32 {
    (hash & ((1 << bits) - 1)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_that_are_stored() {
        assert_eq!(keys("go"), keys("GO"));
        assert_eq!(keys("a go 你好"), STORED);
    }

    const STORED: [u32; 4] = [107_143_168, 147_525_632, 169_893_888, 241_546_170];

    #[test]
    fn whatever_a_word_begins_with_is_a_range_that_holds_its_key() {
        let word = "internationalisation";
        let all = keys(word);
        for (at, _) in word.char_indices().skip(2).chain([(word.len(), ' ')]) {
            let (first, last) = of_prefix(&word[..at]).unwrap();
            let found = all.iter().any(|key| (first..=last).contains(key));
            assert!(found, "{}", &word[..at]);
        }
        assert_eq!(of_prefix("i"), None);
    }

    #[test]
    fn a_row_of_signs_is_found_in_a_longer_one() {
        let all = keys("我们明天去北京👍");
        for row in ["我", "明天", "去北京", "京👍", "👍"] {
            let ranges = of_row(row);
            let found = ranges
                .iter()
                .all(|(first, last)| all.iter().any(|key| (first..=last).contains(&key)));
            assert!(found && !ranges.is_empty(), "{row}");
        }
    }
}
