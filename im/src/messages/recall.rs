//! Taking a message back.

use lingxi_domain::{ConversationKey, ErrorCode, Seq, limits, now_ms};
use lingxi_store::{Entry, EntryKind, Member};
use serde::{Deserialize, Serialize};

use super::Messages;
use crate::actor::begin;
use crate::error::Failed;
use crate::log::{self, Event};
use crate::{Actor, Error, Result};

/// A recalled message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// The conversation's key.
    pub conversation: String,
    /// The place of the recall's own entry.
    pub seq: Seq,
}

impl Messages<'_> {
    /// Takes a message back: its text goes, and the log says so. Its sender may within two minutes, a group's owner and
    /// administrators at any time. Recalling again answers what the first recall did.
    ///
    /// # Errors
    /// `message_not_found` for what the actor cannot see, `not_member` for who left, `forbidden`, `recall_expired`.
    pub async fn recall(&self, actor: &Actor, id: i64) -> Result<Recalled> {
        let found = self.im.store.entry(id).await?;
        let conversation = found.map(|entry| entry.conversation);
        let once = || self.recall_once(actor, id, conversation.clone());
        Ok(self.im.store.retried(once).await?)
    }

    async fn recall_once(
        &self,
        actor: &Actor,
        id: i64,
        conversation: Option<String>,
    ) -> Result<Recalled, Failed> {
        let mut tx = begin!(actor, &self.im.store);
        let conversation = conversation.ok_or(ErrorCode::MessageNotFound)?;
        let key: ConversationKey = conversation
            .parse()
            .map_err(|_| ErrorCode::MessageNotFound)?;
        let mut head = tx
            .lock_conversation(&conversation)
            .await?
            .ok_or(ErrorCode::MessageNotFound)?;
        let message = tx.entry(id).await?.ok_or(ErrorCode::MessageNotFound)?;
        let member = tx
            .member(&conversation, actor.user_id)
            .await?
            .ok_or(ErrorCode::MessageNotFound)?;
        may_recall(actor, &message, &member)?;

        if message.recalled_at.is_some() {
            let first = tx.recall_of(&conversation, message.seq).await?;
            let recalled = Recalled {
                seq: first.unwrap_or(message.seq),
                conversation,
            };
            actor.commit(tx, &recalled).await?;
            return Ok(recalled);
        }
        let now = now_ms();
        if !member.role.may_recall_others() && now - message.created_at > limits::RECALL_WINDOW_MS {
            return Err(ErrorCode::RecallExpired.into());
        }
        tx.mark_recalled(id, now).await?;
        let event = Event {
            kind: EntryKind::Recalled,
            target: Some(id),
            target_seq: Some(message.seq),
            target_name: None,
            detail: None,
        };
        let entry = log::append(
            &mut tx,
            &mut head,
            key,
            self.im.config.partitions,
            actor,
            event,
        )
        .await?;
        tx.put_heads(std::slice::from_ref(&head)).await?;
        let recalled = Recalled {
            conversation,
            seq: entry.seq,
        };
        actor.commit(tx, &recalled).await?;
        log::push_to_members(self.im, &entry, &[]).await;
        Ok(recalled)
    }
}

/// Whether the message is the actor's to recall, whenever it was.
fn may_recall(actor: &Actor, message: &Entry, member: &Member) -> Result<()> {
    let seen = member.joined_seq..=member.left_seq.unwrap_or(Seq::MAX);
    if message.kind != EntryKind::Message || !seen.contains(&message.seq) {
        return Err(ErrorCode::MessageNotFound.into());
    }
    if !member.is_active() {
        return Err(ErrorCode::NotMember.into());
    }
    if message.sender_id != actor.user_id && !member.role.may_recall_others() {
        return Err(Error::new(
            ErrorCode::Forbidden,
            "Only its sender recalls a message; in a group, its owner and administrators too.",
        ));
    }
    Ok(())
}
