//! What deliveries to a webhook are signed with, in the form of Standard Webhooks: `whsec_` and Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::validate::{Invalid, invalid};

const PREFIX: &str = "whsec_";
/// Bytes of a key, as Standard Webhooks has it.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key. It is shown to operators alone.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Vec<u8>);

impl WebhookSecret {
    /// Of these bytes, which nobody can guess.
    pub fn of(key: [u8; 32]) -> Self {
        Self(key.to_vec())
    }

    /// From its text.
    ///
    /// # Errors
    /// One sentence that says what to change.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let key = text
            .strip_prefix(PREFIX)
            .and_then(|rest| STANDARD.decode(rest).ok());
        match key.filter(|key| BYTES.contains(&key.len())) {
            Some(key) => Ok(Self(key)),
            None => invalid(
                "secret: use whsec_ and 24 to 64 random bytes in Base64, or leave it out to get one.",
            ),
        }
    }

    /// Its text.
    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The key itself.
    pub fn key(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_nothing_else_is_one() {
        let secret = WebhookSecret::of([7; 32]);
        assert_eq!(WebhookSecret::parse(&secret.text()), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        let of = |bytes: usize| format!("{PREFIX}{}", STANDARD.encode(vec![1; bytes]));
        for bytes in [24, 64] {
            assert_eq!(WebhookSecret::parse(&of(bytes)).unwrap().key().len(), bytes);
        }
        let bare = STANDARD.encode([1; 32]);
        for bad in ["", "whsec_", "whsec_?", &of(23), &of(65), &bare] {
            assert!(WebhookSecret::parse(bad).is_err(), "{bad}");
        }
    }
}
