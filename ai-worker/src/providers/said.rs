//! Text from outside, for logs.

/// The first `most` characters, on one line, with nothing in it that moves a cursor or turns a text around: what somebody
/// else wrote can neither forge a line of the log nor speak to the terminal that shows it.
pub(crate) fn said(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for c in text.chars().take(most) {
        if is_plain(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    if text.chars().nth(most).is_some() {
        shown.push('…');
    }
    shown
}

fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_forges_a_line_or_speaks_to_a_terminal() {
        let forged =
            "no\r\n2026-11-25 ERROR all is lost\u{1b}[2J\u{9b}31m\0\u{2028}x\u{202e}y\u{85}";
        let shown = said(forged, 300);
        assert!(shown.chars().all(is_plain), "{shown:?}");
        assert!(
            shown.starts_with("no\\r\\n2026") && shown.contains("\\u{1b}[2J"),
            "{shown}"
        );
        assert_eq!(said("灵犀: é 👋 \"x\"", 300), "灵犀: é 👋 \"x\"");
        assert_eq!(said("abcd", 3), "abc…");
        assert_eq!(said("abc", 3), "abc");
    }
}
