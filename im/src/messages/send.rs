//! Saying something: checked here, put into the log of its partition, committed by a chat worker.

use std::borrow::Cow;

use bytes::Bytes;
use lingxi_bus::Error as BusError;
use lingxi_domain::detail::{EVERYBODY, FileDetail, MessageDetail};
use lingxi_domain::frame::client::Recipient;
use lingxi_domain::frame::content;
use lingxi_domain::{ConversationKey, ErrorCode, FileId, Seq, UserId, limits, now_ms};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{Inbound, Quote};
use lingxi_store::{Entry, EntryKind};

use super::Messages;
use crate::frames::{file_of, quote};
use crate::{Actor, Error, Files, Result, log};

/// A message that somebody wants to send.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// To whom.
    pub to: Recipient<'a>,
    /// The sender's id for it, unique within the conversation.
    pub msg_id: &'a str,
    /// Its text.
    pub content: Cow<'a, str>,
    /// The message of the same conversation that it answers.
    pub reply_to: Option<i64>,
    /// Usernames, or `@all`.
    pub mentions: Vec<Cow<'a, str>>,
    /// A file that the sender uploaded; the text may be empty then.
    pub file: Option<FileId>,
}

/// What is known of a message that was handed to the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the log, and will be committed or refused.
    Surely,
    /// It may be in the log: only a repeat with the same `msg_id` tells.
    Perhaps,
}

/// How everybody in a group is mentioned.
const ALL: &str = "@all";

impl Messages<'_> {
    /// Puts a message into the log of its partition. What becomes of it is said by the chat worker's ACK to the sender's
    /// sockets.
    ///
    /// # Errors
    /// `invalid_request` and `too_large` for the text; `user_not_found` for the recipient and for who is mentioned;
    /// `message_not_found` for an answer to what the sender cannot see there; `file_not_found` for what they have not uploaded;
    /// `forbidden` for who may not mention everybody;
    /// `unavailable` where the bus surely did not take it.
    pub async fn send(&self, actor: &Actor, message: Outgoing<'_>) -> Result<Taken> {
        let Outgoing {
            to,
            msg_id,
            content,
            reply_to,
            mentions,
            file,
        } = message;
        content::check(&content, file.is_some())
            .map_err(|refused| Error::new(refused.code, refused.message))?;
        let (key, recipient) = self.destination(actor.user_id, to).await?;
        let beside = (reply_to, mentions, file);
        let (detail, answered) = match self.beside(actor.user_id, key, beside).await {
            Ok(beside) => beside,
            Err(refused) => {
                // A repeat gets the first answer, whatever changed since.
                let conversation = key.to_string();
                let identity = (conversation.as_str(), actor.user_id, msg_id);
                if self.im.store.find_repeat(identity).await?.is_none() {
                    return Err(refused);
                }
                let file = file.map(|id| FileDetail {
                    id,
                    ..FileDetail::default()
                });
                let detail = MessageDetail {
                    file,
                    ..MessageDetail::default()
                };
                (detail, None)
            }
        };
        let said = Said {
            key,
            recipient,
            msg_id,
            content,
            detail,
            answered,
        };
        self.hand_over(actor, said).await
    }

    /// What a message says beside its text, and the message that it answers.
    async fn beside(
        &self,
        user: UserId,
        key: ConversationKey,
        (reply_to, mentions, file): (Option<i64>, Vec<Cow<'_, str>>, Option<FileId>),
    ) -> Result<(MessageDetail, Option<Quote>)> {
        let answered = match reply_to {
            Some(id) => Some(self.answerable(user, key, id).await?),
            None => None,
        };
        let detail = MessageDetail {
            reply_to: answered.as_ref().map(|quote| (quote.id, quote.seq)),
            mentions: self.mentioned(user, key, mentions).await?,
            forwarded_from: None,
            file: match file {
                Some(id) => Some(Files { im: self.im }.sendable(user, id).await?),
                None => None,
            },
        };
        Ok((detail, answered))
    }

    /// The conversation with a recipient, and their id and name in a private one.
    pub(super) async fn destination(
        &self,
        user: UserId,
        to: Recipient<'_>,
    ) -> Result<(ConversationKey, (UserId, String))> {
        Ok(match to {
            Recipient::Group(id) => (ConversationKey::Group(id), (0, String::new())),
            Recipient::User(name) => {
                let found = self.im.names.resolve(&name).await?;
                let (id, name) = found.ok_or(ErrorCode::UserNotFound)?;
                (ConversationKey::direct(user, id), (id, name))
            }
        })
    }

    pub(super) async fn hand_over(&self, actor: &Actor, said: Said<'_>) -> Result<Taken> {
        let Said {
            key,
            recipient: (recipient_id, recipient),
            msg_id,
            content,
            detail,
            answered,
        } = said;
        let detail = if detail == MessageDetail::default() {
            String::new()
        } else {
            log::detail(&detail)?
        };
        let inbound = Inbound {
            conversation: key.to_string(),
            sender_id: actor.user_id,
            sender: actor.username.clone(),
            recipient_id,
            recipient,
            msg_id: msg_id.to_owned(),
            content: content.into_owned(),
            received_at: now_ms(),
            detail,
            reply_to: answered,
        };
        let payload = Bytes::from(inbound.encode_to_vec());
        let partition = key.partition(self.im.config.partitions);
        match self.im.bus.append(partition, payload).await {
            Ok(_) => Ok(Taken::Surely),
            // Surely not taken, so the sender may be told.
            Err(BusError::Full) => Err(ErrorCode::Unavailable.into()),
            Err(error) => {
                tracing::warn!(%error, "a message was not confirmed by the bus");
                Ok(Taken::Perhaps)
            }
        }
    }

    /// A message that the user may see.
    pub(super) async fn visible(&self, user: UserId, id: i64) -> Result<Entry> {
        let found = self.im.store.entry(id).await?;
        let message = found.filter(|entry| entry.kind == EntryKind::Message);
        let message = message.ok_or(ErrorCode::MessageNotFound)?;
        let member = self.im.store.member(&message.conversation, user).await?;
        let member = member.ok_or(ErrorCode::MessageNotFound)?;
        // What was edited since they left was not said to them.
        let said = message.edited_seq.is_none_or(|edited| member.sees(edited));
        if !member.sees(message.seq) || !said {
            return Err(ErrorCode::MessageNotFound.into());
        }
        Ok(message)
    }

    /// A message of this conversation that the user may answer.
    async fn answerable(&self, user: UserId, key: ConversationKey, id: i64) -> Result<Quote> {
        let message = self.visible(user, id).await?;
        if message.conversation != key.to_string() || message.recalled_at.is_some() {
            let message = "reply_to: name a message of this conversation that was not recalled.";
            return Err(Error::new(ErrorCode::MessageNotFound, message));
        }
        let shown = quote(&message, Seq::MAX);
        Ok(Quote {
            id: shown.id,
            seq: shown.seq,
            from: shown.from.to_owned(),
            content: shown.content.to_owned(),
            file: match file_of(&message) {
                Some(file) => log::detail(&file)?,
                None => String::new(),
            },
        })
    }

    /// Whom these names mention, each once.
    async fn mentioned(
        &self,
        user: UserId,
        key: ConversationKey,
        names: Vec<Cow<'_, str>>,
    ) -> Result<Vec<(UserId, String)>> {
        if names.len() > limits::MAX_MENTIONS {
            return Err(Error::invalid("mentions: name at most 50 users, or @all."));
        }
        let mut mentioned: Vec<(UserId, String)> = Vec::with_capacity(names.len());
        for name in names {
            let found = if name == ALL {
                self.may_mention_everybody(user, key).await?;
                (EVERYBODY, ALL.to_owned())
            } else {
                let found = self.im.names.resolve(&name).await?;
                found.ok_or_else(|| {
                    let message = format!("mentions: there is no user {name}; check the spelling.");
                    Error::new(ErrorCode::UserNotFound, message)
                })?
            };
            if !mentioned.contains(&found) {
                mentioned.push(found);
            }
        }
        Ok(mentioned)
    }

    async fn may_mention_everybody(&self, user: UserId, key: ConversationKey) -> Result<()> {
        let refused = |message| Err(Error::new(ErrorCode::Forbidden, message));
        if key.group().is_none() {
            return refused("mentions: @all is for groups; name the other side.");
        }
        let member = self.im.store.member(&key.to_string(), user).await?;
        match member.filter(|member| member.is_active()) {
            None => Err(ErrorCode::NotMember.into()),
            Some(member) if member.role.may_manage() => Ok(()),
            Some(_) => refused("mentions: @all is for the group's owner and administrators."),
        }
    }
}

/// A message that may be sent.
pub(super) struct Said<'a> {
    pub(super) key: ConversationKey,
    pub(super) recipient: (UserId, String),
    pub(super) msg_id: &'a str,
    pub(super) content: Cow<'a, str>,
    pub(super) detail: MessageDetail,
    pub(super) answered: Option<Quote>,
}
