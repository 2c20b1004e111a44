//! What a command is.

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::chat::event::Event;
use crate::chat::server::{Refused, Rest};
use crate::chat::talk::Talk;

/// A line that begins with a slash.
pub(in super::super) struct Command {
    /// Without the slash.
    pub(in super::super) name: &'static str,
    /// What stands behind it, for people.
    pub(super) takes: &'static str,
    /// What it does, for people.
    pub(super) about: &'static str,
    /// Does it.
    pub(in super::super) run: fn(Context, String) -> Running,
    /// What it found or did, in lines for people.
    pub(super) show: fn(&Value) -> Vec<String>,
}

/// A command that is being done.
pub(in super::super) type Running = BoxFuture<'static, Result<Done, Refused>>;

/// Where a command is given.
pub(in super::super) struct Context {
    pub(in super::super) rest: Rest,
    /// Whom they talk to.
    pub(in super::super) talk: Option<Talk>,
    /// The id of the message there that was shown last.
    pub(in super::super) last: Option<i64>,
    /// For what is to be shown before it is done.
    pub(in super::super) shown: mpsc::Sender<Event>,
}

/// What a command led to.
#[derive(Debug, Default)]
pub(in super::super) struct Done {
    /// What it found, or what the server answered.
    pub(in super::super) body: Option<Value>,
    /// What the session is to do.
    pub(in super::super) then: Option<Then>,
}

/// What a session does for a command.
#[derive(Debug)]
pub(in super::super) enum Then {
    /// Talks to somebody else from now on.
    Talk(Talk),
    /// Sends a message with these fields to whom one talks to.
    Send(Value),
    /// Sends a frame.
    Frame(Value),
    /// Keeps in mind how far the user has read.
    Read { conversation: String, seq: u64 },
    /// Ends.
    Quit,
}

impl Done {
    pub(super) fn found(body: Value) -> Result<Self, Refused> {
        Ok(Self {
            body: Some(body),
            then: None,
        })
    }

    pub(super) fn then(then: Then) -> Result<Self, Refused> {
        Ok(Self {
            body: None,
            then: Some(then),
        })
    }

    pub(super) fn and(body: Value, then: Then) -> Result<Self, Refused> {
        Ok(Self {
            body: Some(body),
            then: Some(then),
        })
    }
}

impl Context {
    /// Whom one talks to.
    pub(super) fn talk(&self) -> Result<&Talk, Refused> {
        let none = || Refused::usage("say whom you talk to first: /to NAME or /group ID");
        self.talk.as_ref().ok_or_else(none)
    }

    /// The group one talks in.
    pub(super) fn group(&self) -> Result<i64, Refused> {
        match &self.talk {
            Some(Talk::Group(id)) => Ok(*id),
            _ => Err(Refused::usage("go to a group first: /group ID")),
        }
    }

    /// A message's id as it was typed: `^` is the last one that was shown here.
    pub(super) fn message(&self, typed: &str) -> Result<i64, Refused> {
        if typed == "^" {
            let none = || Refused::usage("no message was shown here yet");
            return self.last.ok_or_else(none);
        }
        number(
            typed,
            "a message's id, which is behind it, or ^ for the last one",
        )
    }
}

/// What was typed, as a number.
pub(super) fn number(typed: &str, expected: &str) -> Result<i64, Refused> {
    let found = typed.trim_start_matches('#').parse::<i64>().ok();
    let wrong = || Refused::usage(format!("expected {expected}"));
    found.filter(|number| *number > 0).ok_or_else(wrong)
}

/// What was typed, if anything was.
pub(super) fn some<'a>(typed: &'a str, expected: &str) -> Result<&'a str, Refused> {
    match typed.trim() {
        "" => Err(Refused::usage(format!("expected {expected}"))),
        typed => Ok(typed),
    }
}

/// The first word that was typed, and what is behind it.
pub(super) fn word(typed: &str) -> (&str, &str) {
    let typed = typed.trim();
    let (first, rest) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    (first, rest.trim_start())
}

/// Shows what the server said of it.
pub(super) fn message_of(body: &Value) -> Vec<String> {
    let said = body["message"].as_str().unwrap_or("done");
    vec![crate::chat::text::line(said)]
}

/// Shows nothing.
pub(super) fn nothing(_: &Value) -> Vec<String> {
    Vec::new()
}
