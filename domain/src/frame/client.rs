//! Reading what a client sent. Nothing here trusts it: sizes, shapes and values are checked, `from` is never read.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::kind;
use crate::{ErrorCode, GroupId, Seq, limits, validate};

/// A well-formed frame.
#[derive(Debug, PartialEq)]
pub enum ClientFrame<'a> {
    /// Life sign; answered `received`.
    Heartbeat {
        /// Echoed in the answer; may be empty.
        msg_id: Cow<'a, str>,
    },
    /// A message to a user or a group.
    Message {
        /// The client's id for it.
        msg_id: Cow<'a, str>,
        /// Whom it is for.
        to: Recipient<'a>,
        /// The text.
        content: Cow<'a, str>,
    },
    /// Everything after these positions, please.
    Sync {
        /// Conversation key → last seq that the device has.
        cursors: HashMap<String, Seq>,
    },
    /// The client confirms what it has.
    Receipt {
        /// Conversation key.
        conversation: Cow<'a, str>,
        /// Everything up to here.
        seq: Seq,
        /// Read, or only received.
        read: bool,
    },
    /// Shown to the other side, never stored.
    Typing {
        /// Whom to show it to.
        to: Recipient<'a>,
    },
}

/// Whom a client addresses.
#[derive(Debug, PartialEq, Eq)]
pub enum Recipient<'a> {
    /// A user, by name.
    User(Cow<'a, str>),
    /// A group.
    Group(GroupId),
}

/// A frame that was refused, with what the answering ACK says.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// The frame's `msg_id`, or empty when it had none to be read.
    pub msg_id: String,
    /// `invalid_request` or `too_large`.
    pub code: ErrorCode,
    /// What to do.
    pub message: String,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "type")]
    kind: i64,
    #[serde(borrow, default)]
    msg_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    to: Option<&'a RawValue>,
    #[serde(borrow, default)]
    group_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cursors: Option<&'a RawValue>,
    #[serde(borrow, default)]
    conversation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    seq: Option<&'a RawValue>,
    #[serde(rename = "kind", borrow, default)]
    receipt: Option<&'a RawValue>,
}

/// A string that borrows from the frame where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads one text frame.
pub fn parse(text: &str) -> Result<ClientFrame<'_>, Refused> {
    if text.len() > limits::MAX_FRAME_BYTES {
        return Err(Refused {
            msg_id: String::new(),
            code: ErrorCode::TooLarge,
            message: "A frame holds at most 64 KiB.".into(),
        });
    }
    if !text.trim_start().starts_with('{') {
        // serde would also read a struct from an array.
        let error = serde::de::Error::custom("expected '{'");
        return Err(not_a_frame(text, &error));
    }
    let raw: Raw<'_> = serde_json::from_str(text).map_err(|error| not_a_frame(text, &error))?;
    let msg_id = raw.msg_id.unwrap_or_default();
    let refuse = |message: &str| Refused {
        msg_id: clip(&msg_id),
        code: ErrorCode::InvalidRequest,
        message: message.to_owned(),
    };
    match raw.kind {
        kind::HEARTBEAT => {
            if msg_id.len() > limits::MAX_MSG_ID_BYTES {
                return Err(refuse("msg_id: use at most 64 bytes."));
            }
            Ok(ClientFrame::Heartbeat { msg_id })
        }
        kind::PRIVATE | kind::GROUP => {
            validate::msg_id(&msg_id).map_err(|e| refuse(&e.0))?;
            let to = recipient(raw.kind == kind::GROUP, raw.to, raw.group_id).map_err(&refuse)?;
            let content = text_field(raw.content)
                .ok_or_else(|| refuse("content: give the text as a string."))?;
            if content.is_empty() {
                return Err(refuse("content: an empty message cannot be sent."));
            }
            if content.len() > limits::MAX_CONTENT_BYTES {
                return Err(Refused {
                    msg_id: clip(&msg_id),
                    code: ErrorCode::TooLarge,
                    message: "content: a message holds at most 16 KiB.".into(),
                });
            }
            Ok(ClientFrame::Message {
                msg_id,
                to,
                content,
            })
        }
        kind::SYNC => {
            let cursors: Option<HashMap<String, Seq>> =
                raw.cursors.and_then(|c| serde_json::from_str(c.get()).ok());
            let cursors = cursors
                .ok_or_else(|| refuse("cursors: give an object of conversation and last seq."))?;
            if cursors
                .values()
                .any(|seq| !(0..limits::MAX_INTEGER).contains(seq))
            {
                return Err(refuse("cursors: a seq is 0 or more."));
            }
            Ok(ClientFrame::Sync { cursors })
        }
        kind::RECEIPT => {
            let conversation = text_field(raw.conversation)
                .ok_or_else(|| refuse("conversation: give its key as a string."))?;
            let seq = int_field(raw.seq)
                .filter(|s| (1..limits::MAX_INTEGER).contains(s))
                .ok_or_else(|| refuse("seq: give a positive integer."))?;
            let read = match text_field(raw.receipt).as_deref() {
                Some("read") => true,
                Some("delivered") => false,
                _ => return Err(refuse("kind: say \"delivered\" or \"read\".")),
            };
            Ok(ClientFrame::Receipt {
                conversation,
                seq,
                read,
            })
        }
        kind::TYPING => {
            let is_group = raw.group_id.is_some();
            let to = recipient(is_group, raw.to, raw.group_id).map_err(&refuse)?;
            Ok(ClientFrame::Typing { to })
        }
        _ => Err(refuse("type: a client sends 1, 2, 4, 7, 8 or 9.")),
    }
}

fn recipient<'a>(
    is_group: bool,
    to: Option<&'a RawValue>,
    group_id: Option<&'a RawValue>,
) -> Result<Recipient<'a>, &'static str> {
    let name = text_field(to);
    if is_group {
        let id = match (group_id, &name) {
            (Some(_), _) => int_field(group_id),
            (None, Some(name)) => validate::as_group_alias(name),
            (None, None) => None,
        };
        let id = id.filter(|&id| id > 0 && id < 1 << 53);
        return id
            .map(Recipient::Group)
            .ok_or("group_id: give the group's id, a positive integer.");
    }
    let name = name
        .filter(|n| !n.is_empty())
        .ok_or("to: give the recipient's username.")?;
    match validate::as_group_alias(&name) {
        Some(id) if id > 0 => Ok(Recipient::Group(id)),
        _ => Ok(Recipient::User(name)),
    }
}

fn text_field(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    raw.and_then(|r| serde_json::from_str::<Text<'_>>(r.get()).ok())
        .map(|t| t.0)
}

fn int_field(raw: Option<&RawValue>) -> Option<i64> {
    raw.and_then(|r| serde_json::from_str(r.get()).ok())
}

fn clip(msg_id: &str) -> String {
    if msg_id.len() <= limits::MAX_MSG_ID_BYTES {
        msg_id.to_owned()
    } else {
        String::new()
    }
}

fn not_a_frame(text: &str, error: &serde_json::Error) -> Refused {
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
    Refused {
        msg_id: clip(msg_id),
        code: ErrorCode::InvalidRequest,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Refused {
        parse(text).expect_err(text)
    }

    #[test]
    fn messages_in_every_accepted_form() {
        let private =
            parse(r#"{"type":2,"msg_id":"m","to":"bob","content":"h\u0069","from":"mallory"}"#);
        let expected = ClientFrame::Message {
            msg_id: "m".into(),
            to: Recipient::User("bob".into()),
            content: "hi".into(),
        };
        assert_eq!(private, Ok(expected));
        for text in [
            r#"{"type":4,"msg_id":"m","group_id":42,"content":"x"}"#,
            r#"{"type":4,"msg_id":"m","to":"group_42","content":"x"}"#,
            r#"{"type":2,"msg_id":"m","to":"group_42","content":"x"}"#,
        ] {
            let Ok(ClientFrame::Message { to, .. }) = parse(text) else {
                panic!("{text}")
            };
            assert_eq!(to, Recipient::Group(42));
        }
    }

    #[test]
    fn refusals_keep_the_msg_id_and_say_what_is_wrong() {
        for (text, msg_id, names) in [
            ("", "", "JSON"),
            ("[1]", "", "object"),
            ("{}", "", "type"),
            (r#"{"type":"2","msg_id":"m"}"#, "m", "type"),
            (
                r#"{"type":2,"msg_id":7,"to":"bob","content":"x"}"#,
                "",
                "msg_id",
            ),
            (r#"{"type":99,"msg_id":"m"}"#, "m", "type"),
            (r#"{"type":2,"to":"bob","content":"x"}"#, "", "msg_id"),
            (r#"{"type":2,"msg_id":"m","content":"x"}"#, "m", "to"),
            (r#"{"type":2,"msg_id":"m","to":5,"content":"x"}"#, "m", "to"),
            (
                r#"{"type":2,"msg_id":"m","to":"bob","content":5}"#,
                "m",
                "content",
            ),
            (
                r#"{"type":2,"msg_id":"m","to":"bob","content":""}"#,
                "m",
                "content",
            ),
            (
                r#"{"type":4,"msg_id":"m","group_id":"x","content":"x"}"#,
                "m",
                "group_id",
            ),
            (
                r#"{"type":4,"msg_id":"m","group_id":-1,"content":"x"}"#,
                "m",
                "group_id",
            ),
            (
                r#"{"type":8,"conversation":"g:1","seq":-1,"kind":"read"}"#,
                "",
                "seq",
            ),
            (
                r#"{"type":8,"conversation":"g:1","seq":1,"kind":"seen"}"#,
                "",
                "kind",
            ),
            (r#"{"type":7,"cursors":[]}"#, "", "cursors"),
        ] {
            let got = refused(text);
            assert_eq!(
                (got.msg_id.as_str(), got.code),
                (msg_id, ErrorCode::InvalidRequest),
                "{text}"
            );
            assert!(got.message.contains(names), "{text}: {}", got.message);
        }
    }

    #[test]
    fn sizes() {
        let long = format!(
            r#"{{"type":2,"msg_id":"m","to":"bob","content":"{}"}}"#,
            "x".repeat(20 * 1024)
        );
        let got = refused(&long);
        assert_eq!((got.msg_id.as_str(), got.code), ("m", ErrorCode::TooLarge));
        let huge = format!(
            r#"{{"type":2,"msg_id":"m","to":"bob","content":"{}"}}"#,
            "x".repeat(65 * 1024)
        );
        assert_eq!(refused(&huge).code, ErrorCode::TooLarge);
        let id = "i".repeat(65);
        assert_eq!(
            refused(&format!(
                r#"{{"type":2,"msg_id":"{id}","to":"b","content":"x"}}"#
            ))
            .msg_id,
            ""
        );
    }
}
