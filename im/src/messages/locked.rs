//! A message under the lock of its conversation: whether the actor may do something about it, and the entry of that.

use lingxi_domain::{ConversationKey, ErrorCode, Seq, now_ms};
use lingxi_store::{ConversationHead, Entry, EntryKind, Member, Tx};
use serde::Serialize;

use crate::error::Failed;
use crate::log::{self, Event};
use crate::{Actor, Error, Inner, Result};

/// A message whose conversation is locked by this transaction, and which the actor sees.
pub(super) struct LockedMessage<'a> {
    im: &'a Inner,
    pub(super) tx: Tx,
    key: ConversationKey,
    head: ConversationHead,
    pub(super) message: Entry,
    /// The actor's membership, which holds.
    pub(super) member: Member,
}

impl<'a> LockedMessage<'a> {
    /// `conversation` is where the message stands, as far as it is there.
    ///
    /// # Errors
    /// `message_not_found` for what the actor cannot see, `not_member` for who left.
    pub(super) async fn new(
        im: &'a Inner,
        mut tx: Tx,
        actor: &Actor,
        (id, conversation): (i64, Option<&str>),
    ) -> Result<Self, Failed> {
        let conversation = conversation.ok_or(ErrorCode::MessageNotFound)?;
        let key: ConversationKey = conversation
            .parse()
            .map_err(|_| ErrorCode::MessageNotFound)?;
        let head = tx
            .lock_conversation(conversation)
            .await?
            .ok_or(ErrorCode::MessageNotFound)?;
        let message = tx.entry(id).await?.ok_or(ErrorCode::MessageNotFound)?;
        let member = tx
            .member(conversation, actor.user_id)
            .await?
            .ok_or(ErrorCode::MessageNotFound)?;
        if message.kind != EntryKind::Message || !member.sees(message.seq) {
            return Err(ErrorCode::MessageNotFound.into());
        }
        if !member.is_active() {
            return Err(ErrorCode::NotMember.into());
        }
        Ok(Self {
            im,
            tx,
            key,
            head,
            message,
            member,
        })
    }

    /// Whether the actor may say something here: what is true of messages is true of what is done about them.
    ///
    /// # Errors
    /// `muted`, `blocked`; `message_not_found` for one that was recalled.
    pub(super) fn may_speak(&self, actor: &Actor) -> Result<()> {
        if self.message.recalled_at.is_some() {
            let message = "That message was recalled; there is nothing left to do about it.";
            return Err(Error::new(ErrorCode::MessageNotFound, message));
        }
        if self.member.muted_until > now_ms() {
            return Err(ErrorCode::Muted.into());
        }
        if let Some(peer) = self.key.peer_of(actor.user_id)
            && self.head.is_blocked_by(peer, actor.user_id)
        {
            return Err(ErrorCode::Blocked.into());
        }
        Ok(())
    }

    pub(super) fn conversation(&self) -> &str {
        &self.head.conversation
    }

    pub(super) fn key(&self) -> ConversationKey {
        self.key
    }

    /// Where the next entry will stand.
    pub(super) fn next_seq(&self) -> Seq {
        self.head.last_seq + 1
    }

    /// Writes what was done about the message.
    pub(super) async fn append(
        &mut self,
        actor: &Actor,
        kind: EntryKind,
        detail: Option<&str>,
    ) -> Result<Entry, Failed> {
        let event = Event {
            kind,
            target: Some(self.message.id),
            target_seq: Some(self.message.seq),
            target_name: None,
            detail,
        };
        let partitions = self.im.config.partitions;
        let (tx, head) = (&mut self.tx, &mut self.head);
        let entry = log::append(tx, head, self.key, partitions, actor, event).await?;
        tx.put_heads(std::slice::from_ref(head)).await?;
        Ok(entry)
    }

    /// Commits what was done.
    pub(super) async fn commit<T: Serialize>(
        self,
        actor: &Actor,
        outcome: &T,
    ) -> Result<(), Failed> {
        actor.commit(self.tx, outcome).await
    }
}
