//! What names a secret.

/// Whether a key names a secret: its letters and digits end in one of the words, in any case (`newPassword` too).
pub(super) fn is_secret(key: &str) -> bool {
    let letters: String = key
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    // A link to a file is as good as the file.
    letters == "sig"
        || ["password", "secret", "token", "apikey"]
            .iter()
            .any(|word| letters.ends_with(word))
}

/// Whether a text that looks like JSON inside JSON has a secret's name in it.
pub(super) fn mentions_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["password", "secret", "token", "api_key", "apikey"]
        .iter()
        .any(|word| lower.contains(word))
}
