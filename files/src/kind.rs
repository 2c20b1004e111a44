//! What a file is, by its first bytes: what its sender says of it counts for little.

/// How many of a file's first bytes say what it is.
pub const HEAD_BYTES: usize = 8 * 1024;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its media type.
    pub mime: &'static str,
    /// Whether it is a picture that [`crate::prepare`] knows.
    pub is_picture: bool,
}

/// What is told apart among texts, where its sender says so.
const TEXTS: &[&str] = &[
    "text/plain",
    "text/markdown",
    "text/csv",
    "application/json",
];
/// What browsers run or follow, however it begins.
const MARKUP: &[&str] = &[
    "<!doctype",
    "<html",
    "<svg",
    "<?xml",
    "<script",
    "<head",
    "<body",
];

/// What a file is whose first bytes are these, at most [`HEAD_BYTES`]; `said` is the media type that its sender gives.
#[must_use]
pub fn kind_of(head: &[u8], said: Option<&str>) -> Kind {
    let other = |mime| Kind {
        mime,
        is_picture: false,
    };
    let known = infer::get(head).map(|found| found.mime_type());
    if let Some(mime) = known {
        let is_picture = matches!(
            mime,
            "image/png" | "image/jpeg" | "image/gif" | "image/webp"
        );
        return Kind { mime, is_picture };
    }
    let Some(text) = text(head) else {
        return other("application/octet-stream");
    };
    let begin = text.trim_start_matches('\u{feff}').trim_start();
    let begin: String = begin.chars().take(16).collect();
    let begin = begin.to_ascii_lowercase();
    if begin.starts_with("<svg") {
        return other("image/svg+xml");
    }
    if MARKUP.iter().any(|markup| begin.starts_with(markup)) {
        return other("text/html");
    }
    let said = said.and_then(|said| said.split(';').next());
    let said = said.unwrap_or_default().trim().to_ascii_lowercase();
    let known = TEXTS.iter().find(|text| **text == said);
    other(known.copied().unwrap_or("text/plain"))
}

/// The text that these bytes begin, if they do; the last character may be cut.
fn text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && !head.is_empty() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}');
    (!text.chars().any(control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_are() {
        for (head, said, mime) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], None, "image/png"),
            (b"\xff\xd8\xff\xe0....", Some("text/plain"), "image/jpeg"),
            (b"GIF89a/*<script>", Some("text/html"), "image/gif"),
            (
                b"%PDF-1.7\nPK\x03\x04",
                Some("image/png"),
                "application/pdf",
            ),
            (b"PK\x03\x04....", None, "application/zip"),
            (b"hello", None, "text/plain"),
            (b"a,b\n1,2", Some("text/csv; charset=utf-8"), "text/csv"),
            (b"a,b\n1,2", Some("text/html"), "text/plain"),
            (b"alert(1)", Some("text/javascript"), "text/plain"),
            ("你好".as_bytes(), Some("image/png"), "text/plain"),
            (&"你好".as_bytes()[..5], None, "text/plain"),
            (
                b"\x00\x01\x02\x03",
                Some("text/plain"),
                "application/octet-stream",
            ),
            (b"abc\xff", Some("text/plain"), "application/octet-stream"),
            (b"", None, "text/plain"),
        ] {
            let found = kind_of(head, said);
            assert_eq!(found.mime, mime, "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn markup_is_never_plain_text() {
        for text in [
            "<html>",
            " \n<!DOCTYPE html>",
            "\u{feff}<SCRIPT>",
            "<svg onload=alert(1)>",
            "<?xml version=\"1.0\"?><svg/>",
        ] {
            let found = kind_of(text.as_bytes(), Some("text/plain"));
            assert_ne!(found.mime, "text/plain", "{text}");
            assert!(!found.is_picture, "{text}");
        }
    }
}
