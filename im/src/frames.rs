//! Entries of the log as clients see them: the one conversion for whatever shows or pushes an entry.

use std::collections::HashMap;

use lingxi_domain::detail::{EditDetail, FileDetail, MessageDetail, ReactionDetail};
use lingxi_domain::frame::{kind, server};
use lingxi_domain::{ConversationKey, Seq, UserId, limits};
use lingxi_proto::bus::{self, PushFrame};
use lingxi_store::{Entry, EntryKind, ReactionCount};
use serde::de::DeserializeOwned;

use crate::{Inner, Result};

/// Frames. Made by [`crate::Im::frames`].
#[derive(Clone, Copy)]
pub struct Frames<'a> {
    pub(crate) im: &'a Inner,
}

impl Frames<'_> {
    /// The frames of these entries, in their order, as they are pushed: the same for all members who may see them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, entries: &[Entry]) -> Result<Vec<PushFrame>> {
        self.made(entries, Seq::MAX, &HashMap::new()).await
    }

    /// The frames of these entries for a former member, who saw the log up to `left_seq`: what was edited behind it has no
    /// text.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn until(&self, left_seq: Seq, entries: &[Entry]) -> Result<Vec<PushFrame>> {
        self.made(entries, left_seq, &HashMap::new()).await
    }

    /// The frames of these entries as history shows them to a member: messages with what was reacted to them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shown_to(&self, user: UserId, entries: &[Entry]) -> Result<Vec<PushFrame>> {
        let messages = entries.iter().filter(|e| e.kind == EntryKind::Message);
        let ids: Vec<i64> = messages.map(|message| message.id).collect();
        let reactions = self.im.store.reactions(user, &ids).await?;
        self.made(entries, Seq::MAX, &reactions).await
    }

    /// As whoever sees the log up to `upto` is shown them. What they show of other rows is read in two queries at most,
    /// however many entries.
    async fn made(
        &self,
        entries: &[Entry],
        upto: Seq,
        reactions: &HashMap<i64, Vec<ReactionCount>>,
    ) -> Result<Vec<PushFrame>> {
        let peers: Vec<UserId> = entries.iter().filter_map(peer_of).collect();
        let names = self.im.names.of(&peers).await?;
        let shown: Vec<i64> = entries.iter().filter_map(other_message).collect();
        let shown = self.im.store.messages(&shown).await?;
        let shown: HashMap<i64, &Entry> = shown.iter().map(|e| (e.id, e)).collect();
        let framed = entries.iter().map(|entry| {
            let other = other_message(entry).and_then(|id| shown.get(&id).copied());
            let beside = Beside {
                upto,
                to: peer_of(entry).map(|id| names.get(&id).map_or("", String::as_str)),
                content: other
                    .filter(|_| entry.kind == EntryKind::Edited)
                    .filter(|message| message.recalled_at.is_none())
                    .and_then(|message| text(message, upto)),
                answered: other
                    .filter(|_| entry.kind == EntryKind::Message)
                    .map(|message| quote(message, upto)),
                reactions: reactions.get(&entry.id).map_or(&[], Vec::as_slice),
            };
            framed(entry, &beside)
        });
        Ok(framed.collect())
    }

    /// The frame of a message that is being committed ([`lingxi_store::NewEntry::stored`]); `to` is the recipient's username
    /// of a private one, and `answered` the message that it answers.
    pub fn of_message(
        &self,
        entry: &Entry,
        to: Option<&str>,
        answered: Option<&bus::Quote>,
    ) -> PushFrame {
        let beside = Beside {
            to,
            answered: answered.map(|quote| server::Quote {
                id: quote.id,
                seq: quote.seq,
                from: &quote.from,
                content: &quote.content,
                file: shown_file(&quote.file),
            }),
            ..Beside::default()
        };
        framed(entry, &beside)
    }
}

/// What an entry shows that does not stand in its row.
pub(crate) struct Beside<'a> {
    /// How far whoever is shown it sees the log.
    pub(crate) upto: Seq,
    /// The recipient's username of a private message.
    pub(crate) to: Option<&'a str>,
    /// What the message says that the entry edited.
    pub(crate) content: Option<&'a str>,
    /// The message that it answers.
    pub(crate) answered: Option<server::Quote<'a>>,
    /// What was reacted to it.
    pub(crate) reactions: &'a [ReactionCount],
}

impl Default for Beside<'_> {
    fn default() -> Self {
        Self {
            upto: Seq::MAX,
            to: None,
            content: None,
            answered: None,
            reactions: &[],
        }
    }
}

pub(crate) fn framed(entry: &Entry, beside: &Beside<'_>) -> PushFrame {
    let json = encode(entry, beside);
    PushFrame::entry(json, entry.conversation.clone(), entry.seq)
}

/// The recipient of a private message: the side that did not write it.
fn peer_of(entry: &Entry) -> Option<UserId> {
    if entry.kind != EntryKind::Message {
        return None;
    }
    let key: ConversationKey = entry.conversation.parse().ok()?;
    key.peer_of(entry.sender_id)
}

/// The message whose text an entry shows: the one that it answers; or that it edited, where everybody who sees the entry may
/// see what the message says.
fn other_message(entry: &Entry) -> Option<i64> {
    match entry.kind {
        EntryKind::Message => {
            let beside: MessageDetail = detail(entry, EntryKind::Message)?;
            beside.reply_to.map(|(id, _)| id)
        }
        EntryKind::Edited => {
            let edit: EditDetail = detail(entry, EntryKind::Edited)?;
            entry.target.filter(|_| edit.open)
        }
        _ => None,
    }
}

/// What a message says, if that was said up to there.
fn text(message: &Entry, upto: Seq) -> Option<&str> {
    let said = message.edited_seq.is_none_or(|edited| edited <= upto);
    Some(message.content.as_str()).filter(|_| said)
}

/// A message as it is shown where it is answered, to whoever sees the log up to there.
pub(crate) fn quote(message: &Entry, upto: Seq) -> server::Quote<'_> {
    let content = text(message, upto).unwrap_or_default();
    let end = content.char_indices().nth(limits::QUOTE_CHARS);
    server::Quote {
        id: message.id,
        seq: message.seq,
        from: &message.sender,
        content: end.map_or(content, |(at, _)| &content[..at]),
        file: file_of(message).map(Into::into),
    }
}

/// The file that a message brings, as long as it was not recalled.
pub(crate) fn file_of(message: &Entry) -> Option<FileDetail> {
    let detail: MessageDetail = detail(message, EntryKind::Message)?;
    detail.file.filter(|_| message.recalled_at.is_none())
}

/// A file as the bus brings it.
fn shown_file(json: &str) -> Option<server::File> {
    let file = Some(json).filter(|json| !json.is_empty());
    let file: Option<FileDetail> = file.and_then(|json| serde_json::from_str(json).ok());
    file.map(Into::into)
}

/// What an entry of this kind says beside its text.
pub(crate) fn detail<T: DeserializeOwned>(entry: &Entry, kind: EntryKind) -> Option<T> {
    let text = entry.detail.as_deref().filter(|_| entry.kind == kind)?;
    serde_json::from_str(text)
        .inspect_err(|error| tracing::error!(%error, "entries.detail cannot be read"))
        .ok()
}

/// One entry's text.
pub(crate) fn encode(entry: &Entry, beside: &Beside<'_>) -> String {
    let key: Option<ConversationKey> = entry.conversation.parse().ok();
    let group_id = key.and_then(ConversationKey::group);
    match entry.kind.event_name() {
        None => {
            let reactions = beside.reactions.iter().map(|reaction| server::Reaction {
                emoji: &reaction.emoji,
                count: reaction.count,
                mine: reaction.mine,
            });
            let detail: Option<MessageDetail> = detail(entry, EntryKind::Message);
            let mentions = detail.iter().flat_map(|detail| &detail.mentions);
            server::MessageFrame {
                kind: key.map_or(kind::PRIVATE, server::message_kind),
                id: entry.id,
                seq: entry.seq,
                conversation: &entry.conversation,
                msg_id: entry.msg_id.as_deref().unwrap_or_default(),
                from: &entry.sender,
                to: beside.to.filter(|_| group_id.is_none()),
                group_id,
                content: text(entry, beside.upto).unwrap_or_default(),
                created_at: entry.created_at,
                recalled: entry.recalled_at.is_some(),
                edited_at: entry.edited_at,
                reply_to: beside.answered.clone(),
                mentions: mentions.map(|(_, name)| name.as_str()).collect(),
                forwarded_from: detail
                    .as_ref()
                    .and_then(|detail| detail.forwarded_from.as_deref()),
                file: file_of(entry).map(Into::into),
                reactions: reactions.collect(),
            }
            .encode()
        }
        Some(event) => {
            let of_message = entry.kind.is_about_message();
            let reaction: Option<ReactionDetail> = detail(entry, EntryKind::Reacted);
            let changes = detail(entry, EntryKind::GroupUpdated)
                .or_else(|| detail(entry, EntryKind::MemberUpdated));
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
                content: beside.content,
                emoji: reaction.as_ref().map(|reaction| reaction.emoji.as_str()),
                on: reaction.as_ref().map(|reaction| reaction.on),
                count: reaction.as_ref().map(|reaction| reaction.count),
                changes,
                created_at: entry.created_at,
            }
            .encode()
        }
    }
}
