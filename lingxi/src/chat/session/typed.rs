//! What a line of the input means.

use serde_json::Value;

use crate::chat::commands::{Command, find};
use crate::chat::server::Refused;
use crate::chat::talk::Talk;

/// What a line means.
pub(super) enum Meaning<'a> {
    /// Nothing.
    Nothing,
    /// A command, and what is behind its name.
    Command(&'static Command, &'a str),
    /// A message, as its frame.
    Message(Value),
}

/// Reads a line. With `fields`, one that begins with `{` is a message's fields.
///
/// # Errors
/// Says what was expected.
pub(super) fn meaning<'a>(
    line: &'a str,
    fields: bool,
    talk: Option<&Talk>,
) -> Result<Meaning<'a>, Refused> {
    let trimmed = line.trim();
    if trimmed.is_empty() {
        return Ok(Meaning::Nothing);
    }
    if fields && trimmed.starts_with('{') {
        return message(trimmed, talk).map(Meaning::Message);
    }
    if trimmed.starts_with('/') && !trimmed.starts_with("//") {
        let (command, rest) = find(trimmed)?;
        return Ok(Meaning::Command(command, rest));
    }
    let text = line.strip_prefix('/').filter(|_| line.starts_with("//"));
    let content = serde_json::json!({"content": text.unwrap_or(line)});
    Ok(Meaning::Message(whom(talk)?.message(&content)))
}

fn whom(talk: Option<&Talk>) -> Result<&Talk, Refused> {
    let none = || {
        Refused::usage("say whom it is for: /to NAME or /group ID (or --to, --group at the start)")
    };
    talk.ok_or_else(none)
}

fn message(line: &str, talk: Option<&Talk>) -> Result<Value, Refused> {
    let fields: Value = serde_json::from_str(line)
        .map_err(|error| Refused::usage(format!("this line is not JSON: {error}")))?;
    let to = match (&fields["to"], &fields["group_id"]) {
        (Value::Null, Value::Null) => whom(talk)?.clone(),
        (Value::String(name), Value::Null) => Talk::User(name.clone()),
        (Value::Null, Value::Number(id)) if id.is_i64() => {
            Talk::Group(id.as_i64().unwrap_or_default())
        }
        _ => {
            return Err(Refused::usage(
                r#"expected {"to":"NAME",…} or {"group_id":ID,…}"#,
            ));
        }
    };
    if !matches!(fields["msg_id"], Value::Null | Value::String(_)) {
        return Err(Refused::usage("msg_id: expected a string"));
    }
    let mut fields = fields;
    if let Some(fields) = fields.as_object_mut() {
        // What the message is, is known.
        fields.remove("type");
        fields.retain(|_, value| !value.is_null());
    }
    Ok(to.message(&fields))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn frame(line: &str, talk: Option<Talk>) -> Result<Value, String> {
        match meaning(line, true, talk.as_ref()) {
            Ok(Meaning::Message(mut frame)) => {
                let msg_id = frame["msg_id"].take();
                assert!(msg_id.as_str().is_some_and(|id| !id.is_empty()));
                Ok(frame)
            }
            Ok(_) => Err("no message".to_owned()),
            Err(why) => Err(why.message),
        }
    }

    #[test]
    fn lines_are_messages_fields_or_commands() {
        let bob = || Some(Talk::User("bob".to_owned()));
        let none = Value::Null;
        assert_eq!(
            frame("hi  there", bob()).unwrap(),
            json!({"type": 2, "msg_id": none, "to": "bob", "content": "hi  there"})
        );
        assert_eq!(frame("//etc", bob()).unwrap()["content"], "/etc");
        assert_eq!(
            frame(
                r#"{"group_id":4,"content":"x","reply_to":7,"type":9}"#,
                bob()
            )
            .unwrap(),
            json!({"type": 4, "msg_id": none, "group_id": 4, "content": "x", "reply_to": 7})
        );
        assert_eq!(frame(r#"{"content":"x"}"#, bob()).unwrap()["to"], "bob");
        assert!(frame("hi", None).unwrap_err().contains("/to NAME"));
        assert!(frame("{hi", bob()).unwrap_err().contains("not JSON"));
        assert!(frame(r#"{"to":4}"#, bob()).is_err());
        assert!(frame("/nonsense", bob()).unwrap_err().contains("/help"));
        assert!(frame("/help", bob()).is_err() && frame("  ", bob()).is_err());
        // A person may well begin a sentence with a brace.
        let said = meaning("{hi", false, bob().as_ref());
        assert!(matches!(said, Ok(Meaning::Message(frame)) if frame["content"] == "{hi"));
    }
}
