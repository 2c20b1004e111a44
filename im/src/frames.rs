//! Entries of the log as clients see them: the one conversion for whatever shows or pushes an entry.

use lingxi_domain::frame::{kind, server};
use lingxi_domain::{ConversationKey, UserId};
use lingxi_proto::bus::PushFrame;
use lingxi_store::{Entry, EntryKind};

use crate::{Inner, Result};

/// Frames. Made by [`crate::Im::frames`].
#[derive(Clone, Copy)]
pub struct Frames<'a> {
    pub(crate) im: &'a Inner,
}

impl Frames<'_> {
    /// The frames of these entries, in their order: as they are pushed, and as history shows them. Recipients' names
    /// that are not remembered are read in one query.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, entries: &[Entry]) -> Result<Vec<PushFrame>> {
        let peers: Vec<Option<UserId>> = entries.iter().map(peer_of).collect();
        let ids: Vec<UserId> = peers.iter().flatten().copied().collect();
        let names = self.im.names.of(&ids).await?;
        let framed = entries.iter().zip(peers).map(|(entry, peer)| {
            let to = peer.map(|id| names.get(&id).map_or("", String::as_str));
            self.of_one(entry, to)
        });
        Ok(framed.collect())
    }

    /// The frame of one entry, stored or being committed ([`lingxi_store::NewEntry::stored`]); `to` is the recipient's
    /// username of a private message.
    pub fn of_one(&self, entry: &Entry, to: Option<&str>) -> PushFrame {
        PushFrame::entry(encode(entry, to), entry.conversation.clone(), entry.seq)
    }
}

/// The recipient of a private message: the side that did not write it.
fn peer_of(entry: &Entry) -> Option<UserId> {
    if entry.kind != EntryKind::Message {
        return None;
    }
    let key: ConversationKey = entry.conversation.parse().ok()?;
    key.peer_of(entry.sender_id)
}

/// What a change of a group says, as it was written with its entry.
fn changes(detail: &str) -> Option<server::Changes> {
    let read = serde_json::from_str(detail);
    read.inspect_err(|error| tracing::error!(%error, "entries.detail cannot be read"))
        .ok()
}

/// One entry's text; `to` is the recipient's username of a private message.
pub(crate) fn encode(entry: &Entry, to: Option<&str>) -> String {
    let key: Option<ConversationKey> = entry.conversation.parse().ok();
    let group_id = key.and_then(ConversationKey::group);
    match entry.kind.event_name() {
        None => server::MessageFrame {
            kind: key.map_or(kind::PRIVATE, server::message_kind),
            id: entry.id,
            seq: entry.seq,
            conversation: &entry.conversation,
            msg_id: entry.msg_id.as_deref().unwrap_or_default(),
            from: &entry.sender,
            to: to.filter(|_| group_id.is_none()),
            group_id,
            content: &entry.content,
            created_at: entry.created_at,
            recalled: entry.recalled_at.is_some(),
            edited_at: entry.edited_at,
        }
        .encode(),
        Some(event) => {
            let of_message = matches!(entry.kind, EntryKind::Recalled | EntryKind::Edited);
            server::EventFrame {
                kind: kind::SYSTEM,
                event,
                conversation: &entry.conversation,
                group_id,
                seq: entry.seq,
                id: entry.id,
                from: &entry.sender,
                target: entry.target_name.as_deref().filter(|_| !of_message),
                target_seq: entry.target_seq,
                target_id: entry.target.filter(|_| of_message),
                changes: entry.detail.as_deref().and_then(changes),
                created_at: entry.created_at,
            }
            .encode()
        }
    }
}
