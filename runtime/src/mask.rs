//! Hides secrets in what is logged of a request: bodies, also broken ones, and query strings.

/// How much of a body is logged.
const SHOWN: usize = 200;
const HIDDEN: &str = "\"***\"";

/// The first 200 characters of a JSON body, with the value of every key that names a secret (`password`,
/// `old_password`, `new_password`, `secret`, `token`, `api_key` and whatever ends in one) replaced by `***`, at any
/// depth. `body` may be cut off or not be JSON at all: from the first thing that JSON does not allow on, nothing is
/// shown. Control characters become spaces, so that a body cannot forge a line of the log.
#[must_use]
pub fn body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut scan = Scan::default();
    let mut rest = text.as_ref();
    while !rest.is_empty() && !scan.out.is_full() {
        let read = next(rest).and_then(|(token, after)| {
            rest = after;
            scan.take(token)
        });
        if read.is_none() {
            scan.stop(rest);
            break;
        }
    }
    scan.out.text
}

/// A query string with the values of secret parameters replaced by `***`.
#[must_use]
pub fn query(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    for pair in query.split_inclusive(['&', ';']) {
        let separator = pair.rfind(['&', ';']).unwrap_or(pair.len());
        match pair.split_once('=') {
            Some((key, _)) if is_secret(&percent_decoded(key)) => {
                out.push_str(key);
                out.push_str("=***");
                out.push_str(&pair[separator..]);
            }
            _ => out.push_str(pair),
        }
    }
    out
}

/// Whether a key names a secret: its letters and digits end in one of the words, in any case (`newPassword` too).
fn is_secret(key: &str) -> bool {
    let letters: String = key
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    ["password", "secret", "token", "apikey"]
        .iter()
        .any(|word| letters.ends_with(word))
}

/// Whether a text that looks like JSON inside JSON has a secret's name in it.
fn mentions_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["password", "secret", "token", "api_key", "apikey"]
        .iter()
        .any(|word| lower.contains(word))
}

/// The token at the start of `text` and what follows; `None` when that is no JSON token. A string that does not end is
/// not one.
fn next(text: &str) -> Option<(&str, &str)> {
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

fn percent_decoded(text: &str) -> String {
    url::form_urlencoded::parse(text.as_bytes())
        .map(|(key, _)| key.into_owned())
        .collect()
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
struct Scan {
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
    /// Takes one token; `None` when JSON does not allow it here.
    fn take(&mut self, token: &str) -> Option<()> {
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
    fn stop(&mut self, rest: &str) {
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

#[cfg(test)]
mod tests {
    use super::{body, query};

    fn shown(text: &str) -> String {
        body(text.as_bytes())
    }

    #[test]
    fn ordinary_bodies_are_shown_as_they_are() {
        for text in [
            r#"{"username":"bob","n":[1,-2.5e3,true,null]}"#,
            r#"{"x":"password","y":"hello"}"#,
            r#"{"message":"what is a token?"}"#,
            r#"{"max_tokens":5,"名字":"灵犀"}"#,
            "",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn secrets_are_hidden_at_any_depth_in_any_type() {
        for (given, expected) in [
            (
                r#"{"password":"hunter2","a":1}"#,
                r#"{"password":"***","a":1}"#,
            ),
            (
                r#"{"a":{"b":[{"new_password" : "hunter2"}]}}"#,
                r#"{"a":{"b":[{"new_password" : "***"}]}}"#,
            ),
            (
                r#"{"old_password":123456,"a":1}"#,
                r#"{"old_password":"***","a":1}"#,
            ),
            (
                r#"{"token":{"x":["hunter2","}"]},"a":1}"#,
                r#"{"token":"***","a":1}"#,
            ),
            (
                r#"{"api_key":["hunter2",["b"]],"a":1}"#,
                r#"{"api_key":"***","a":1}"#,
            ),
            (
                r#"{"secret":"a\"hunter2","a":1}"#,
                r#"{"secret":"***","a":1}"#,
            ),
            (
                r#"{"p\u0061ssword":"hunter2"}"#,
                r#"{"p\u0061ssword":"***"}"#,
            ),
            (
                r#"{"Password":"hunter2","newPassword":"hunter2"}"#,
                r#"{"Password":"***","newPassword":"***"}"#,
            ),
            (
                r#"{"args":"{\"password\":\"hunter2\"}"}"#,
                r#"{"args":"***"}"#,
            ),
        ] {
            assert_eq!(shown(given), expected);
        }
    }

    #[test]
    fn broken_bodies_never_leak() {
        for text in [
            r#"{"password":"hunter2"#,
            r#"{"password" "hunter2"}"#,
            r#"{"password"::"hunter2"}"#,
            r#"{"password:"hunter2"}"#,
            r#"{"password:"123456"}"#,
            r#"{password:"hunter2"}"#,
            r#"{'password':'hunter2'}"#,
            r#"{"a":"b, "password":"hunter2"}"#,
            r#"{"a":"b""password":"hunter2"}"#,
            r#"{"x":"password":"hunter2"}"#,
            r#"{"pass\word":"hunter2"}"#,
            r#"{"password":hunter2}"#,
            r#"{"password":{"a":hunter2}}"#,
            r#"{"password":["hunter2"}, "hunter2"]"#,
            "username=bob&password=hunter2",
            "\u{feff}{\"password\":\"hunter2\"}",
        ] {
            let shown = shown(text);
            assert!(
                !shown.contains("hunter") && !shown.contains("123456"),
                "{text} -> {shown}"
            );
        }
    }

    #[test]
    fn no_cut_and_no_missing_punctuation_leaks() {
        let text = r#"{"a":[1,{"username":"bob"}],"password":"hunter2\\","b":{"token":["hunter2","hunter2"]},"c":"d"}"#;
        for end in 0..=text.len() {
            assert!(!shown(&text[..end]).contains("hunter"), "cut at {end}");
        }
        for (at, character) in text.char_indices().filter(|(_, c)| !c.is_alphanumeric()) {
            let broken: String = [&text[..at], &text[at + character.len_utf8()..]].concat();
            assert!(
                !shown(&broken).contains("hunter"),
                "{broken} -> {}",
                shown(&broken)
            );
        }
    }

    #[test]
    fn two_hundred_characters_and_no_control_characters() {
        let long = format!(r#"{{"a":"{}"}}"#, "灵".repeat(300));
        assert_eq!(shown(&long).chars().count(), 200);
        let cut = format!(r#"{{"message":"{}"#, "灵".repeat(300));
        assert_eq!(shown(&cut).chars().count(), 200);
        let deep = "[".repeat(100_000);
        assert_eq!(shown(&deep).chars().count(), 200);
        assert_eq!(shown("{\"a\":\n\t1}"), "{\"a\": 1}");
        assert!(!shown("{\"a\":\"x\ny\"}").contains('\n'));
        assert!(!body(b"{\"a\":\"\xff\xfe\"}").is_empty());
    }

    #[test]
    fn query_parameters_are_hidden_by_name() {
        assert_eq!(query("token=hunter2&a=1"), "token=***&a=1");
        assert_eq!(
            query("a=1&%74oken=hunter2&api_key=x=y"),
            "a=1&%74oken=***&api_key=***"
        );
        assert_eq!(query("a=1;token=hunter2"), "a=1;token=***");
        assert_eq!(query("keyword=token"), "keyword=token");
        assert_eq!(query(""), "");
    }
}
