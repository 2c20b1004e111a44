//! Entries of the log as clients see them: the one conversion for whatever shows or pushes an entry.

use std::collections::HashMap;

use lingxi_domain::detail::{EditDetail, MessageDetail, ReactionDetail};
use lingxi_domain::frame::{kind, server};
use lingxi_domain::{ConversationKey, UserId, limits};
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
    /// The frames of these entries, in their order, as they are pushed: the same for everybody who may see them.
    /// Recipients' names that are not remembered are read in one query, and what edited messages say in another.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(&self, entries: &[Entry]) -> Result<Vec<PushFrame>> {
        let beside = self.beside(entries).await?;
        Ok(made(entries, &beside, &HashMap::new()))
    }

    /// The frames of these entries as history shows them to a former member, who left then (milliseconds since the Unix
    /// epoch): what was edited since has no text for them, and what was reacted is not theirs to see.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn left_to(&self, left_at: i64, mut entries: Vec<Entry>) -> Result<Vec<PushFrame>> {
        for entry in &mut entries {
            if entry.edited_at.is_some_and(|edited_at| edited_at > left_at) {
                entry.content.clear();
            }
            // Texts of other rows, which may be later ones.
            if entry.kind == EntryKind::Edited {
                entry.detail = None;
            }
        }
        let mut beside = self.beside(&entries).await?;
        for answered in beside.answered.values_mut() {
            if answered
                .edited_at
                .is_some_and(|edited_at| edited_at > left_at)
            {
                answered.content.clear();
            }
        }
        Ok(made(&entries, &beside, &HashMap::new()))
    }

    /// The frames of these entries as history shows them to one user: messages with what was reacted to them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn shown_to(&self, user: UserId, entries: &[Entry]) -> Result<Vec<PushFrame>> {
        let messages = entries.iter().filter(|e| e.kind == EntryKind::Message);
        let ids: Vec<i64> = messages.map(|message| message.id).collect();
        let reactions = self.im.store.reactions(user, &ids).await?;
        let beside = self.beside(entries).await?;
        Ok(made(entries, &beside, &reactions))
    }

    /// What these entries show of other rows: three queries at most, however many entries.
    async fn beside(&self, entries: &[Entry]) -> Result<Others> {
        let ids: Vec<UserId> = entries.iter().filter_map(peer_of).collect();
        let edited: Vec<i64> = entries.iter().filter_map(open_edit).collect();
        let answered: Vec<i64> = entries.iter().filter_map(answers).collect();
        let answered = self.im.store.messages(&answered).await?;
        Ok(Others {
            names: self.im.names.of(&ids).await?,
            contents: self.im.store.contents(&edited).await?,
            answered: answered.into_iter().map(|e| (e.id, e)).collect(),
        })
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
            }),
            ..Beside::default()
        };
        framed(entry, &beside)
    }
}

/// Of other rows, what some entries show.
struct Others {
    /// Recipients of private messages.
    names: HashMap<UserId, String>,
    /// What edited messages say.
    contents: HashMap<i64, String>,
    /// Messages that are answered.
    answered: HashMap<i64, Entry>,
}

fn made(
    entries: &[Entry],
    others: &Others,
    reactions: &HashMap<i64, Vec<ReactionCount>>,
) -> Vec<PushFrame> {
    let framed = entries.iter().map(|entry| {
        let to = peer_of(entry);
        let beside = Beside {
            to: to.map(|id| others.names.get(&id).map_or("", String::as_str)),
            content: open_edit(entry)
                .and_then(|id| others.contents.get(&id))
                .map(String::as_str),
            answered: answers(entry)
                .and_then(|id| others.answered.get(&id))
                .map(quote),
            reactions: reactions.get(&entry.id).map_or(&[], Vec::as_slice),
        };
        framed(entry, &beside)
    });
    framed.collect()
}

/// What an entry shows that does not stand in its row.
#[derive(Default)]
pub(crate) struct Beside<'a> {
    /// The recipient's username of a private message.
    pub(crate) to: Option<&'a str>,
    /// What the message says that the entry edited.
    pub(crate) content: Option<&'a str>,
    /// The message that it answers.
    pub(crate) answered: Option<server::Quote<'a>>,
    /// What was reacted to it.
    pub(crate) reactions: &'a [ReactionCount],
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

/// The message that an entry edited, if everybody who sees the entry may see what the message says.
fn open_edit(entry: &Entry) -> Option<i64> {
    let edit: EditDetail = detail(entry, EntryKind::Edited)?;
    entry.target.filter(|_| edit.open)
}

/// The message that a message answers.
fn answers(entry: &Entry) -> Option<i64> {
    let detail: MessageDetail = detail(entry, EntryKind::Message)?;
    detail.reply_to.map(|(id, _)| id)
}

/// A message as it is shown where it is answered.
pub(crate) fn quote(message: &Entry) -> server::Quote<'_> {
    let end = message.content.char_indices().nth(limits::QUOTE_CHARS);
    let end = end.map_or(message.content.len(), |(at, _)| at);
    server::Quote {
        id: message.id,
        seq: message.seq,
        from: &message.sender,
        content: &message.content[..end],
    }
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
                content: &entry.content,
                created_at: entry.created_at,
                recalled: entry.recalled_at.is_some(),
                edited_at: entry.edited_at,
                reply_to: beside.answered.clone(),
                mentions: mentions.map(|(_, name)| name.as_str()).collect(),
                forwarded_from: detail
                    .as_ref()
                    .and_then(|detail| detail.forwarded_from.as_deref()),
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
