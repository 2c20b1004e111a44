//! Types 2 and 4: a message to a user or a group.

use std::borrow::Cow;

use lingxi_domain::frame::client::{Addressed, Expected, Head, Refused, Text};
use lingxi_domain::frame::kind;
use lingxi_domain::{FileId, GroupId};
use lingxi_im::{Actor, Outgoing, Taken};
use schemars::JsonSchema;
use serde::Deserialize;
use tracing::Instrument as _;

use super::{Command, Connection};
use crate::ws::allowance::Price;
use crate::ws::close::Close;

const NO_CONTENT: &str = "content: give the text as a string.";

/// A message: type 2 to a user, type 4 to a group. Its ACK comes when it is committed.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Message<'a> {
    /// The recipient's username, or `group_<id>`.
    #[serde(borrow, default)]
    to: Option<Text<'a>>,
    /// The group, in a frame of type 4.
    #[serde(default)]
    group_id: Option<GroupId>,
    /// The text, at most 16 KiB as JSON; of control characters only tab and line feed. With a file it may be empty, or missing.
    #[serde(borrow, default)]
    #[schemars(length(max = 16384))]
    content: Option<Text<'a>>,
    /// The id of the message of the same conversation that it answers.
    #[serde(default)]
    reply_to: Option<i64>,
    /// Usernames of those whom it mentions, at most 50; `@all`, by a group's owner and administrators, is everybody.
    #[serde(borrow, default)]
    #[schemars(length(max = 50))]
    mentions: Option<Vec<Text<'a>>>,
    /// The id of a file that the sender has uploaded.
    #[serde(default)]
    file: Option<FileId>,
}

impl Command for Message<'_> {
    const KINDS: &'static [i64] = &[kind::PRIVATE, kind::GROUP];
    const PRICE: Price = Price::Message;
    const EXPECTED: &'static [Expected] = &[
        ("to", "give the recipient's username."),
        ("group_id", "give the group's id, a positive integer."),
        ("content", "give the text as a string."),
        ("reply_to", "give a message's id, an integer."),
        ("mentions", "give a list of usernames."),
        ("file", "give an uploaded file's id, an integer."),
    ];
    const NEEDS_ID: bool = true;
}

impl Message<'_> {
    pub(super) async fn run(self, from: &Connection<'_>, head: &Head<'_>) -> Result<(), Refused> {
        let Self {
            to,
            group_id,
            content,
            reply_to,
            mentions,
            file,
        } = self;
        let content = match (content, file) {
            (Some(Text(content)), _) => content,
            (None, Some(_)) => Cow::Borrowed(""),
            (None, None) => return Err(Refused::invalid(NO_CONTENT)),
        };
        let addressed = Addressed { to, group_id };
        let to = match head.kind {
            kind::GROUP => addressed.group()?,
            _ => addressed.user_or_alias()?,
        };
        let Connection { state, session, .. } = from;
        let actor = Actor::new(session.user_id, session.username.clone());
        let message = Outgoing {
            to,
            msg_id: &head.msg_id,
            content,
            reply_to,
            mentions: mentions
                .into_iter()
                .flatten()
                .map(|Text(name)| name)
                .collect(),
            file,
        };
        let span = tracing::debug_span!("message in", msg_id = %head.msg_id);
        let messages = state.im.messages();
        match messages.send(&actor, message).instrument(span).await {
            Ok(Taken::Surely) => Ok(()),
            Ok(Taken::Perhaps) => {
                // Only the client's repeat on its next connection can tell.
                session.close(Close::TryAgain);
                Ok(())
            }
            Err(error) => Err(Refused::new(error.code(), error.message().to_owned())),
        }
    }
}
