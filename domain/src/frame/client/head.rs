//! What every frame has: its type, and the id by which it is answered.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Refused, Text};
use crate::{ErrorCode, limits};

/// The head of a well-formed frame, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// The frame's type; any integer.
    pub kind: i64,
    /// The client's id for it; empty when it gave none.
    pub msg_id: Cow<'a, str>,
    text: &'a str,
}

/// What a field should have been: its name, and the sentence that says so.
pub type Expected = (&'static str, &'static str);

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type")]
    kind: i64,
    #[serde(borrow, default)]
    msg_id: Option<Text<'a>>,
}

impl<'a> Head<'a> {
    /// Reads the head of one text frame. Its other fields are known to be JSON, no more.
    ///
    /// # Errors
    /// With the frame's `msg_id`, as far as it had one to be read.
    pub fn read(text: &'a str) -> Result<Self, (String, Refused)> {
        if text.len() > limits::MAX_FRAME_BYTES {
            let refused = Refused::new(ErrorCode::TooLarge, "A frame holds at most 64 KiB.");
            return Err((String::new(), refused));
        }
        // Some clients put a byte order mark before their JSON.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if !text.trim_start().starts_with('{') {
            // serde would also read a struct from an array.
            let error = serde::de::Error::custom("expected '{'");
            return Err(not_a_frame(text, &error));
        }
        let raw: Raw<'_> = serde_json::from_str(text).map_err(|error| not_a_frame(text, &error))?;
        let Text(msg_id) = raw.msg_id.unwrap_or_default();
        Ok(Self {
            kind: raw.kind,
            msg_id,
            text,
        })
    }

    /// Reads the fields of the command that the frame is. `expected` has a sentence for each that may be wrong.
    ///
    /// # Errors
    /// When a field is missing or of another type; names it.
    pub fn fields<C: Deserialize<'a>>(&self, expected: &[Expected]) -> Result<C, Refused> {
        serde_json::from_str(self.text).map_err(|error| {
            // Only now is it worth finding out which field it was.
            let mut json = serde_json::Deserializer::from_str(self.text);
            let error = serde_path_to_error::deserialize::<_, C>(&mut json)
                .err()
                .map_or_else(
                    || error.to_string(),
                    |error| format!("{}: {}", error.path(), error.inner()),
                );
            wrong_field(&error, expected)
        })
    }

    /// The `msg_id` if an ACK can carry it: nobody is sent back what is longer than an id may be.
    pub fn answerable(&self) -> &str {
        clip(&self.msg_id)
    }
}

/// `content: invalid type …` and `.: missing field `content` …` are about the same field.
fn wrong_field(error: &str, expected: &[Expected]) -> Refused {
    let is_it = |name: &str| {
        let inside = error.strip_prefix(name);
        inside.is_some_and(|rest| rest.starts_with([':', '.', '[']))
            || error.contains(&format!("field `{name}`"))
    };
    let message = match expected.iter().find(|(name, _)| is_it(name)) {
        Some((name, what)) => format!("{name}: {what}"),
        None => {
            String::from("A field is missing, twice there or of the wrong type; see the protocol.")
        }
    };
    Refused::invalid(message)
}

fn clip(msg_id: &str) -> &str {
    if msg_id.len() <= limits::MAX_MSG_ID_BYTES {
        msg_id
    } else {
        ""
    }
}

fn not_a_frame(text: &str, error: &serde_json::Error) -> (String, Refused) {
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let msg_id = value
        .as_ref()
        .and_then(|v| v.get("msg_id"))
        .and_then(|m| m.as_str())
        .unwrap_or_default();
    let message = match &value {
        None => format!("Not JSON: {error}."),
        Some(v) if !v.is_object() => "A frame is one JSON object.".to_owned(),
        Some(v) if v.get("type").is_none_or(|t| !t.is_i64()) => {
            "type: give the frame's type, an integer.".to_owned()
        }
        Some(_) => "msg_id: give a string.".to_owned(),
    };
    (clip(msg_id).to_owned(), Refused::invalid(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_keep_the_msg_id_and_say_what_is_wrong() {
        for (text, msg_id, names) in [
            ("", "", "JSON"),
            ("[1]", "", "object"),
            ("{}", "", "type"),
            (r#"{"type":"2","msg_id":"m"}"#, "m", "type"),
            (r#"{"type":2,"msg_id":7}"#, "", "msg_id"),
            (r#"{"type":2.5,"msg_id":"m"}"#, "m", "type"),
        ] {
            let (id, refused) = Head::read(text).expect_err(text);
            assert_eq!(
                (id.as_str(), refused.code),
                (msg_id, ErrorCode::InvalidRequest),
                "{text}"
            );
            assert!(
                refused.message.contains(names),
                "{text}: {}",
                refused.message
            );
        }
        let long = format!(r#"{{"type":1,"msg_id":"{}"}}"#, "i".repeat(65));
        assert_eq!(Head::read(&long).unwrap().answerable(), "");
        let huge = format!(
            r#"{{"type":1,"msg_id":"{}"}}"#,
            "i".repeat(limits::MAX_FRAME_BYTES)
        );
        assert_eq!(Head::read(&huge).unwrap_err().1.code, ErrorCode::TooLarge);
    }

    #[test]
    fn what_has_no_escapes_is_not_copied_and_a_byte_order_mark_is_skipped() {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            content: Text<'a>,
        }
        let head =
            Head::read("\u{feff}{\"type\":2,\"msg_id\":\"m\",\"content\":\"hi\",\"x\":[{}]}")
                .unwrap();
        assert_eq!((head.kind, &*head.msg_id), (2, "m"));
        assert!(matches!(head.msg_id, Cow::Borrowed(_)));
        let Fields { content } = head.fields(&[]).unwrap();
        assert!(matches!(content.0, Cow::Borrowed("hi")));
        assert!(
            Head::read("\u{feff}\u{feff}{\"type\":1}").is_err(),
            "one is a mark, two are none"
        );
    }

    #[test]
    fn a_wrong_field_is_named() {
        #[derive(Debug, Deserialize)]
        struct Fields {
            #[serde(rename = "content")]
            _content: String,
            #[serde(rename = "cursors", default)]
            _cursors: std::collections::HashMap<String, i64>,
        }
        let expected = [
            ("content", "give the text."),
            ("cursors", "give an object."),
        ];
        for (text, message) in [
            (r#"{"type":2}"#, "content: give the text."),
            (r#"{"type":2,"content":null}"#, "content: give the text."),
            (
                r#"{"type":2,"content":"x","content":"x"}"#,
                "content: give the text.",
            ),
            (
                r#"{"type":2,"content":"x","cursors":[]}"#,
                "cursors: give an object.",
            ),
            (
                r#"{"type":2,"content":"x","cursors":{"a":"b"}}"#,
                "cursors: give an object.",
            ),
        ] {
            let refused = Head::read(text)
                .unwrap()
                .fields::<Fields>(&expected)
                .unwrap_err();
            assert_eq!(refused.message, message, "{text}");
        }
    }
}
