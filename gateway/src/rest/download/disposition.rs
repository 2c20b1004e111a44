//! Under which name a file is saved: RFC 6266 and RFC 8187.

/// The header's value: whether it is shown or saved, and what it is called. Old clients read the name without what is not
/// ASCII, all others the whole one.
pub(super) fn disposition(shown: bool, name: &str) -> String {
    let how = if shown { "inline" } else { "attachment" };
    let plain: String = name.chars().map(plain).collect();
    let whole: String = name.bytes().map(encoded).collect();
    format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

/// What can stand between quotes, whoever reads it.
fn plain(c: char) -> char {
    match c {
        '"' | '\\' | '%' => '_',
        ' '..='~' => c,
        _ => '_',
    }
}

fn encoded(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::disposition;

    #[test]
    fn a_name_stays_in_its_place() {
        assert_eq!(
            disposition(true, "a.png"),
            "inline; filename=\"a.png\"; filename*=UTF-8''a.png"
        );
        assert_eq!(
            disposition(false, "报 告.pdf"),
            "attachment; filename=\"_ _.pdf\"; filename*=UTF-8''%E6%8A%A5%20%E5%91%8A.pdf"
        );
        for name in [
            "a\"; x=\"b",
            "a\r\nSet-Cookie: b",
            "a\\",
            "%22",
            "a';b",
            "\0",
        ] {
            let header = disposition(false, name);
            assert_eq!(header.matches('"').count(), 2, "{header}");
            assert!(
                header.bytes().all(|b| (b' '..=b'~').contains(&b)),
                "{header}"
            );
            assert!(!header.contains('\\'), "{header}");
        }
    }
}
