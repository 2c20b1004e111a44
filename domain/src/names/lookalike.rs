//! Names that look the same and are not: the skeletons of UTS 39.

use unicode_security::mixed_script::AugmentedScriptSet;

/// The longest skeleton, in characters: some old letters are whole phrases.
const MAX_SKELETON_CHARS: usize = 255;

/// What is left of a text when everything that looks alike is one: equal for texts that look the same.
pub fn skeleton(text: &str) -> String {
    unicode_security::skeleton(text)
        .take(MAX_SKELETON_CHARS)
        .collect()
}

/// The skeletons under which an existing name could be mistaken for a new one: that of the new one's key, and that of
/// the way it is written, since `ΑΝΝΑ` in Greek looks like `anna` only in capitals.
pub fn skeletons(shown: &str, key: &str) -> [String; 2] {
    [skeleton(key), skeleton(&skeleton(shown).to_lowercase())]
}

/// Whether two names of one skeleton are told apart by nobody: they have no script in common, as `аlice` with a Cyrillic
/// `а` and `alice`. Within a script people see what they write: `corn` and `com` are both names.
pub fn confusable(one: &str, other: &str) -> bool {
    let mut scripts = AugmentedScriptSet::for_str(one);
    scripts.intersect_with(AugmentedScriptSet::for_str(other));
    one != other && scripts.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clash(new: &str, existing: &str) -> bool {
        let key = super::super::username_key(new);
        skeletons(new, &key).contains(&skeleton(existing)) && confusable(&key, existing)
    }

    #[test]
    fn names_of_other_scripts_that_look_the_same_clash() {
        for (new, existing) in [
            ("аlice", "alice"),
            ("alice", "аlice"),
            ("раура", "paypa"),
            ("ΑΝΝΑ", "anna"),
            ("bоb", "bob"),
            ("ѕсоре", "scope"),
        ] {
            assert!(clash(new, existing), "{new} {existing}");
        }
        for (new, existing) in [
            ("corn", "com"),
            ("user1", "userl"),
            ("alice", "alice"),
            ("alicia", "alice"),
            ("Тома", "toma"),
            ("анна", "anna"),
            ("ニ", "二"),
        ] {
            assert!(!clash(new, existing), "{new} {existing}");
        }
    }
}
