//! Follows JSON through a body that may be broken, and shows what has its place in it.

use super::secret::{is_secret, mentions_secret};

/// How much of a body is logged, in characters.
const SHOWN: usize = 200;
const HIDDEN: &str = "\"***\"";

/// The token at the start of `text` and what follows; `None` when that is no JSON token. A string that does not end is
/// not one.
pub(super) fn next(text: &str) -> Option<(&str, &str)> {
    let first = *text.as_bytes().first()?;
    let length = match first {
        b'{' | b'}' | b'[' | b']' | b':' | b',' => 1,
        b' ' | b'\t' | b'\r' | b'\n' => {
            text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len()
        }
        b'"' => string_length(text)?,
        _ => {
            let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
            let length = end.unwrap_or(text.len());
            let word = text.get(..length)?;
            let number = first == b'-' || first.is_ascii_digit();
            let plain = matches!(word, "true" | "false" | "null")
                || (number && word.parse::<f64>().is_ok_and(f64::is_finite));
            plain.then_some(length)?
        }
    };
    text.split_at_checked(length)
}

fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (n, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(n + 1),
            _ => {}
        }
    }
    None
}

fn unescape(token: &str) -> Option<String> {
    serde_json::from_str(token).ok()
}

/// What JSON allows next.
#[derive(Default, Clone, Copy, PartialEq)]
enum Expect {
    #[default]
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

/// Follows JSON's grammar and shows only what has its place in it.
#[derive(Default)]
pub(super) struct Scan {
    out: Out,
    expect: Expect,
    /// The open containers, `{` or `[`.
    open: Vec<char>,
    /// A key that is shown once its colon has come.
    key: String,
    /// The next value belongs to a secret.
    secret: bool,
    /// Inside a secret's container: the number of containers around it.
    hidden_in: Option<usize>,
}

impl Scan {
    pub(super) fn is_full(&self) -> bool {
        self.out.is_full()
    }

    pub(super) fn shown(self) -> String {
        self.out.text
    }

    /// Takes one token; `None` when JSON does not allow it here.
    pub(super) fn take(&mut self, token: &str) -> Option<()> {
        use Expect::{Colon, CommaOrEnd, Key, KeyOrEnd, Value, ValueOrEnd};
        let first = token.chars().next()?;
        if first.is_whitespace() {
            if self.expect == Colon {
                self.key.push(' ')
            } else {
                self.show(" ")
            }
            return Some(());
        }
        match (self.expect, first) {
            (Key | KeyOrEnd, '"') => {
                self.secret = is_secret(&unescape(token)?);
                self.key = token.to_owned();
                self.expect = Colon;
            }
            (Colon, ':') => {
                let key = std::mem::take(&mut self.key);
                self.show(&key);
                self.show(":");
                self.expect = Value;
            }
            (CommaOrEnd, ',') => {
                self.expect = if self.open.last()? == &'{' {
                    Key
                } else {
                    Value
                };
                self.show(",");
            }
            (CommaOrEnd | KeyOrEnd, '}') if self.open.last() == Some(&'{') => self.close(token),
            (CommaOrEnd | ValueOrEnd, ']') if self.open.last() == Some(&'[') => self.close(token),
            (Value | ValueOrEnd, '{' | '[') => {
                self.show(if self.secret { HIDDEN } else { token });
                if std::mem::take(&mut self.secret) && self.hidden_in.is_none() {
                    self.hidden_in = Some(self.open.len());
                }
                self.open.push(first);
                self.expect = if first == '{' { KeyOrEnd } else { ValueOrEnd };
            }
            (Value | ValueOrEnd, '}' | ']' | ':' | ',') => return None,
            (Value | ValueOrEnd, _) => {
                let plain = if first == '"' {
                    unescape(token)?
                } else {
                    String::new()
                };
                let nested = plain.contains('"') && mentions_secret(&plain);
                let hide = std::mem::take(&mut self.secret) || nested;
                self.show(if hide { HIDDEN } else { token });
                self.expect = CommaOrEnd;
            }
            _ => return None,
        }
        Some(())
    }

    /// What is left is broken or was cut off. The beginning of a long ordinary value is still shown, when nothing in
    /// it could name a secret.
    pub(super) fn stop(&mut self, rest: &str) {
        let in_value = matches!(self.expect, Expect::Value | Expect::ValueOrEnd) && !self.secret;
        let plain = rest.starts_with('"') && !rest.contains("\\u") && !mentions_secret(rest);
        if in_value && plain && next(rest).is_none() {
            self.show(rest);
        }
        self.out.push("…");
    }

    fn close(&mut self, token: &str) {
        self.open.pop();
        self.show(token);
        self.expect = Expect::CommaOrEnd;
        if self.hidden_in == Some(self.open.len()) {
            self.hidden_in = None;
        }
    }

    fn show(&mut self, piece: &str) {
        if self.hidden_in.is_none() {
            self.out.push(piece);
        }
    }
}

#[derive(Default)]
struct Out {
    text: String,
    characters: usize,
}

impl Out {
    fn is_full(&self) -> bool {
        self.characters >= SHOWN
    }

    fn push(&mut self, piece: &str) {
        for character in piece.chars().take(SHOWN - self.characters) {
            self.text.push(if character.is_control() {
                ' '
            } else {
                character
            });
            self.characters += 1;
        }
    }
}
