//! What strangers wrote, made harmless for a terminal.

/// One line. What ends lines, controls a terminal or turns the direction of text is written out, as in `\u{1b}`.
pub(super) fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => line.push(' '),
            c if is_harmful(c) => line.extend(c.escape_unicode()),
            c => line.push(c),
        }
    }
    line
}

/// A text of several lines behind what it begins with. Those after the first are set in, so that none passes for another
/// message.
pub(super) fn block(begin: &str, text: &str) -> Vec<String> {
    let mut lines = text.split('\n');
    let first = format!("{begin}{}", line(lines.next().unwrap_or_default()));
    let others = lines.map(|text| format!("    | {}", line(text)));
    std::iter::once(first).chain(others).collect()
}

/// The same JSON on one line of any terminal: what ends lines or controls terminals is escaped.
pub(super) fn json(frame: &str) -> String {
    let mut line = String::with_capacity(frame.len());
    for c in frame.chars() {
        match c {
            // Between strings, where alone JSON has them as they are.
            '\n' | '\r' | '\t' => line.push(' '),
            // All of them are in the first plane, and in JSON only within strings.
            c if is_harmful(c) => line.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => line.push(c),
        }
    }
    line
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn a_frame_is_one_line_and_the_same_json() {
        let frame = json!({"content": "a\u{85}\u{2028}\n\u{9b}31m\u{1b}[2J\u{202e}灵", "id": 1});
        let line = super::json(&frame.to_string());
        assert!(!line.chars().any(char::is_control) && line.lines().count() == 1);
        assert!(!line.contains('\u{202e}'));
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), frame);
        assert_eq!(super::json("{\n}"), "{ }");
    }

    #[test]
    fn nothing_that_strangers_write_reaches_the_terminal() {
        let said = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}evil\r\u{8}ok\u{2028}end";
        let line = super::line(said);
        assert_eq!(
            line,
            r"\u{1b}]0;title\u{7}\u{9b}2J\u{202e}evil\u{d}\u{8}ok\u{2028}end"
        );
        assert_eq!(super::line("灵犀 👩‍👩‍👧 a\tb"), "灵犀 👩‍👩‍👧 a b");
        let lines = super::block("bob: ", "hi\n[alice] forged");
        assert_eq!(lines, ["bob: hi", "    | [alice] forged"]);
    }
}
