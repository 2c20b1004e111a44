//! Names of files that people send.

use unicode_normalization::UnicodeNormalization as _;

use super::characters::{is_bidi_control, is_blank, is_control, is_ignorable, is_visible};
use super::context::shapes;
use crate::limits::MAX_FILE_NAME_BYTES;

/// What a file is called whose name has nothing in it.
const NAMELESS: &str = "file";
/// The longest ending that is kept when a name is cut, in bytes.
const ENDING: usize = 16;

/// The name under which a file is shown and saved: of a path its last part, one line of at most 255 bytes with something to
/// see in it, without what hides its ending or turns its direction. Nothing is refused: most who send a file did not choose
/// its name.
pub fn file_name(text: &str) -> String {
    let last = text.rsplit(['/', '\\']).next().unwrap_or_default();
    let composed: Vec<char> = last.nfc().collect();
    let shown = composed.iter().enumerate().filter_map(|(at, &c)| match c {
        c if is_control(c) => Some(' '),
        c if is_bidi_control(c) || is_blank(c) => None,
        c if is_ignorable(c) => shapes(&composed, at).then_some(c),
        // What no file system takes, or means something to a shell or a header.
        ':' | '*' | '?' | '"' | '<' | '>' | '|' => Some('_'),
        c => Some(c),
    });
    let shown: String = shown.collect();
    let words: Vec<&str> = shown.split_whitespace().collect();
    // A dot in front hides it; behind it, it is lost.
    let name = words.join(" ");
    let name = name.trim_matches(['.', ' ']);
    if !name.chars().any(is_visible) {
        return NAMELESS.to_owned();
    }
    cut(name)
}

/// At most 255 bytes of it, its ending among them.
fn cut(name: &str) -> String {
    if name.len() <= MAX_FILE_NAME_BYTES {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |at| &name[at..]);
    let ending = if ending.len() <= ENDING { ending } else { "" };
    let end = name.floor_char_boundary(MAX_FILE_NAME_BYTES - ending.len());
    format!("{}{ending}", name[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_and_no_path() {
        for (given, name) in [
            ("photo.jpg", "photo.jpg"),
            ("报告 2026.pdf", "报告 2026.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\bob\\x.txt", "x.txt"),
            ("a\r\nSet-Cookie: x=1.png", "a Set-Cookie_ x=1.png"),
            ("a\";b.png", "a_;b.png"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("a\u{200b}\u{2066}b.txt", "ab.txt"),
            ("👨\u{200d}👩.png", "👨\u{200d}👩.png"),
            ("Jose\u{301}.txt", "Jos\u{e9}.txt"),
            (".htaccess", "htaccess"),
            ("a.txt. .", "a.txt"),
            ("..", "file"),
            ("", "file"),
            ("/", "file"),
            ("\u{3164}", "file"),
            ("\0\0", "file"),
        ] {
            assert_eq!(file_name(given), name, "{}", given.escape_debug());
            assert_eq!(file_name(name), name, "twice");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let long = format!("{}.jpeg", "长".repeat(10_000));
        let name = file_name(&long);
        assert!(name.len() <= 255 && name.ends_with("长.jpeg"), "{name}");
        assert_eq!(file_name(&name), name);
        let no_ending = format!("a.{}", "x".repeat(400));
        assert_eq!(file_name(&no_ending).len(), 255);
    }
}
