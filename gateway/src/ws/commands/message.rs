//! Types 2 and 4: a message to a user or a group.

use std::borrow::Cow;

use axum::body::Bytes;
use lingxi_bus::Error as BusError;
use lingxi_domain::frame::client::{Addressed, Expected, Head, Recipient, Refused, Text};
use lingxi_domain::frame::{content, kind};
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, now_ms};
use lingxi_proto::Message as _;
use lingxi_proto::bus::Inbound;
use schemars::JsonSchema;
use serde::Deserialize;
use tracing::Instrument as _;

use super::{Command, Connection};
use crate::ws::allowance::Price;
use crate::ws::close::Close;

/// A message: type 2 to a user, type 4 to a group. Its ACK comes when it is committed.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Message<'a> {
    /// The recipient's username, or `group_<id>`.
    #[serde(borrow, default)]
    to: Option<Text<'a>>,
    /// The group, in a frame of type 4.
    #[serde(default)]
    group_id: Option<GroupId>,
    /// The text, at most 16 KiB as JSON; of control characters only tab and line feed.
    #[serde(borrow)]
    #[schemars(length(min = 1, max = 16384))]
    content: Text<'a>,
}

impl Command for Message<'_> {
    const KINDS: &'static [i64] = &[kind::PRIVATE, kind::GROUP];
    const PRICE: Price = Price::Message;
    const EXPECTED: &'static [Expected] = &[
        ("to", "give the recipient's username."),
        ("group_id", "give the group's id, a positive integer."),
        ("content", "give the text as a string."),
    ];
    const NEEDS_ID: bool = true;
}

impl Message<'_> {
    pub(super) async fn run(self, from: &Connection<'_>, head: &Head<'_>) -> Result<(), Refused> {
        let Self {
            to,
            group_id,
            content: Text(content),
        } = self;
        let addressed = Addressed { to, group_id };
        let to = match head.kind {
            kind::GROUP => addressed.group()?,
            _ => addressed.user_or_alias()?,
        };
        content::check(&content)?;
        send(from, &head.msg_id, to, content)
            .instrument(tracing::debug_span!("message in", msg_id = %head.msg_id))
            .await
    }
}

/// Puts a message into the log of its partition. The ACK comes from the chat worker.
async fn send(
    from: &Connection<'_>,
    msg_id: &str,
    to: Recipient<'_>,
    content: Cow<'_, str>,
) -> Result<(), Refused> {
    let Connection { state, session, .. } = from;
    let (key, recipient_id, recipient) = match to {
        Recipient::Group(id) => (ConversationKey::Group(id), 0, String::new()),
        Recipient::User(name) => {
            let (id, name) = from.resolve(&name).await?;
            (ConversationKey::direct(session.user_id, id), id, name)
        }
    };
    let inbound = Inbound {
        conversation: key.to_string(),
        sender_id: session.user_id,
        sender: session.username.clone(),
        recipient_id,
        recipient,
        msg_id: msg_id.to_owned(),
        content: content.into_owned(),
        received_at: now_ms(),
    };
    let payload = Bytes::from(inbound.encode_to_vec());
    let partition = key.partition(state.options.partitions);
    match state.bus.append(partition, payload).await {
        Ok(_) => Ok(()),
        // Surely not taken, so the client may be told.
        Err(BusError::Full) => Err(ErrorCode::Unavailable.into()),
        Err(error) => {
            // It may have been taken: only the client's repeat on its next connection can tell.
            tracing::warn!(%error, "a message was not confirmed by the bus; its socket is closed");
            session.close(Close::TryAgain);
            Ok(())
        }
    }
}
