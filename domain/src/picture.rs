//! Pictures of people, which others' clients load.

use url::Url;

use crate::limits::MAX_AVATAR_CHARS;
use crate::names;
use crate::validate::{Invalid, invalid};

/// The address of somebody's picture, which others' clients will load: empty, or a whole URL of the web. No other scheme,
/// and nobody's password in it.
///
/// # Errors
/// One sentence that says what to change.
pub fn avatar(text: &str) -> Result<String, Invalid> {
    let text = names::line("avatar", text, MAX_AVATAR_CHARS)?;
    if text.is_empty() {
        return Ok(text);
    }
    let url = Url::parse(&text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    match url {
        // As it was parsed: escaped, without quotes or spaces.
        Some(url) if url.as_str().len() <= MAX_AVATAR_CHARS => Ok(url.into()),
        Some(_) => invalid(format!(
            "avatar: use at most {} characters.",
            MAX_AVATAR_CHARS
        )),
        None => {
            invalid("avatar: give the address of a picture, such as https://example.org/me.png.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn avatars() {
        let picture = "https://example.org/me.png?size=1";
        for good in ["", picture, "http://[2001:db8::1]:8080/x"] {
            assert_eq!(avatar(good), Ok(good.to_owned()));
        }
        assert_eq!(
            avatar(" https://EXAMPLE.org/a\"b ").as_deref(),
            Ok("https://example.org/a%22b")
        );
        let long = format!("https://example.org/{}", "x".repeat(500));
        let escaped = format!("https://example.org/{}", "画".repeat(200));
        for bad in [
            "me.png",
            "/me.png",
            "//example.org/me.png",
            "javascript:alert(1)",
            "ftp://example.org/me.png",
            "data:image/svg+xml,<svg/>",
            "https://",
            "https://alice:secret@example.org/",
            "https://example.org/\n",
            &long,
            &escaped,
        ] {
            assert!(avatar(bad).is_err(), "{bad}");
        }
    }
}
