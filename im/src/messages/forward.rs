//! Sending somebody a copy of a message.

use std::borrow::Cow;
use std::time::Duration;

use lingxi_domain::detail::MessageDetail;
use lingxi_domain::frame::client::Recipient;
use lingxi_domain::{ConversationKey, ErrorCode, FileId, Seq, UserId, now_ms, said_hash, validate};
use lingxi_store::{Entry, EntryKind, Repeat};
use tokio::time::Instant;
use uuid::Uuid;

use super::Messages;
use super::send::{Said, Taken};
use crate::frames::{detail, file_of};
use crate::{Actor, Error, Limits, Payer, Result, Spending};

/// A copy that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarded {
    /// Where it stands.
    pub conversation: String,
    /// Its id.
    pub id: i64,
    /// Its place.
    pub seq: Seq,
}

impl From<Repeat> for Forwarded {
    fn from(sent: Repeat) -> Self {
        Self {
            conversation: sent.conversation,
            id: sent.id,
            seq: sent.seq,
        }
    }
}

/// Whether a message was surely sent with another text than this, or another file.
fn is_another(sent: &Repeat, (text, file): (&str, Option<FileId>)) -> bool {
    sent.content
        .is_some_and(|first| first != said_hash(text, file))
}

/// The longest that a copy may take to be committed.
const LONGEST: Duration = Duration::from_secs(5);
/// Pauses between looks whether it is: twice as long each time.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LAST_LOOK: Duration = Duration::from_millis(200);

impl Messages<'_> {
    /// Sends a copy of a message that the actor may see, and answers where it stands once it is committed. It counts as a
    /// message. With a `msg_id` the same request may be made again: it is sent once.
    ///
    /// # Errors
    /// `message_not_found` for what the actor cannot see or what was recalled; `user_not_found`, `group_not_found`,
    /// `not_member`, `muted`, `blocked`, `rate_limited`; `idempotency_conflict` for a `msg_id` that something else was sent
    /// with; `unavailable` where it is not known that it was sent.
    pub async fn forward(
        &self,
        actor: &Actor,
        (id, to): (i64, Recipient<'_>),
        msg_id: Option<&str>,
    ) -> Result<Forwarded> {
        msg_id.map_or(Ok(()), validate::msg_id)?;
        let (key, recipient) = self.destination(actor.user_id, to).await?;
        if let Some(msg_id) = msg_id
            && let Some(sent) = self.sent_before(actor.user_id, key, (msg_id, id)).await?
        {
            return Ok(sent);
        }
        let message = self.visible(actor.user_id, id).await?;
        if message.recalled_at.is_some() {
            let message = "That message was recalled; there is nothing left to forward.";
            return Err(Error::new(ErrorCode::MessageNotFound, message));
        }
        self.may_write(actor.user_id, key).await?;
        let limits = Limits { im: self.im };
        let payer = Payer::User(actor.user_id);
        limits.spend(payer, Spending::Message, 1).await?;
        let made: String;
        let msg_id = match msg_id {
            Some(msg_id) => msg_id,
            None => {
                made = Uuid::new_v4().to_string();
                &made
            }
        };
        let before: Option<MessageDetail> = detail(&message, EntryKind::Message);
        let before = before.unwrap_or_default();
        let (first, file) = (before.forwarded_from, before.file);
        let brings = file.as_ref().map(|file| file.id);
        let said = Said {
            key,
            recipient,
            msg_id,
            content: Cow::Borrowed(&message.content),
            detail: MessageDetail {
                forwarded_from: Some(first.unwrap_or_else(|| message.sender.clone())),
                file,
                ..MessageDetail::default()
            },
            answered: None,
        };
        if self.hand_over(actor, said).await? == Taken::Perhaps {
            return Err(ErrorCode::Unavailable.into());
        }
        let said = (message.content.as_str(), brings);
        self.committed(actor.user_id, key, (msg_id, said)).await
    }

    /// What was sent with this `msg_id` before, whatever became of the message that it is a copy of.
    async fn sent_before(
        &self,
        user: UserId,
        key: ConversationKey,
        (msg_id, of): (&str, i64),
    ) -> Result<Option<Forwarded>> {
        let conversation = key.to_string();
        let identity = (conversation.as_str(), user, msg_id);
        let Some(sent) = self.im.store.find_repeat(identity).await? else {
            return Ok(None);
        };
        let message = self.im.store.entry(of).await?;
        // Its first text is known as long as it has that.
        let first = message.filter(|m| m.recalled_at.is_none() && m.edited_at.is_none());
        let another = |first: Entry| {
            let file = file_of(&first).map(|file| file.id);
            is_another(&sent, (&first.content, file))
        };
        if first.is_some_and(another) {
            return Err(ErrorCode::IdempotencyConflict.into());
        }
        Ok(Some(sent.into()))
    }

    /// Whether the user may write there, as far as is known now: the chat worker decides.
    async fn may_write(&self, user: UserId, key: ConversationKey) -> Result<()> {
        let conversation = key.to_string();
        let store = &self.im.store;
        match key.peer_of(user) {
            Some(peer) => {
                let head = store.conversation(&conversation).await?;
                if head.is_some_and(|head| head.is_blocked_by(peer, user)) {
                    return Err(ErrorCode::Blocked.into());
                }
            }
            None => {
                self.check(user, key).await?;
                let member = store.member(&conversation, user).await?;
                let member = member.filter(|member| member.is_active());
                if member.ok_or(ErrorCode::NotMember)?.muted_until > now_ms() {
                    return Err(ErrorCode::Muted.into());
                }
            }
        }
        Ok(())
    }

    /// Waits until a message is committed.
    async fn committed(
        &self,
        user: UserId,
        key: ConversationKey,
        (msg_id, said): (&str, (&str, Option<FileId>)),
    ) -> Result<Forwarded> {
        let (conversation, begun) = (key.to_string(), Instant::now());
        let identity = (conversation.as_str(), user, msg_id);
        let mut pause = FIRST_LOOK;
        while begun.elapsed() < LONGEST {
            tokio::time::sleep(pause).await;
            if let Some(sent) = self.im.store.find_repeat(identity).await? {
                if is_another(&sent, said) {
                    return Err(ErrorCode::IdempotencyConflict.into());
                }
                return Ok(sent.into());
            }
            pause = (pause * 2).min(LAST_LOOK);
        }
        Err(ErrorCode::Unavailable.into())
    }
}
