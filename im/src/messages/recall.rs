//! Taking a message back.

use lingxi_domain::detail::MessageDetail;
use lingxi_domain::{ErrorCode, Seq, limits, now_ms};
use lingxi_store::EntryKind;
use serde::{Deserialize, Serialize};

use super::Messages;
use super::locked::LockedMessage;
use crate::actor::begin;
use crate::error::Failed;
use crate::frames::detail;
use crate::{Actor, Error, Result, log};

/// A recalled message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// The conversation's key.
    pub conversation: String,
    /// The place of the recall's own entry.
    pub seq: Seq,
}

impl Messages<'_> {
    /// Takes a message back: its text goes, with its file and what was reacted to it, and the log says so. Its sender may within two
    /// minutes, a group's owner and administrators at any time. Recalling again answers what the first recall did.
    ///
    /// # Errors
    /// `message_not_found` for what the actor cannot see, `not_member` for who left, `forbidden`, `recall_expired`.
    pub async fn recall(&self, actor: &Actor, id: i64) -> Result<Recalled> {
        let conversation = self.paid(actor, id).await?;
        let once = || self.recall_once(actor, (id, conversation.as_deref()));
        Ok(self.im.store.retried(once).await?)
    }

    async fn recall_once(
        &self,
        actor: &Actor,
        which: (i64, Option<&str>),
    ) -> Result<Recalled, Failed> {
        let tx = begin!(actor, &self.im.store);
        let mut locked = LockedMessage::new(self.im, tx, actor, which).await?;
        let conversation = locked.conversation().to_owned();
        let (message, role) = (&locked.message, locked.member.role);
        if message.sender_id != actor.user_id && !role.may_recall_others() {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "Only its sender recalls a message; in a group, its owner and administrators too.",
            )
            .into());
        }
        if message.recalled_at.is_some() {
            let seq = message.seq;
            let first = locked.tx.recall_of(&conversation, seq).await?;
            let recalled = Recalled {
                seq: first.unwrap_or(seq),
                conversation,
            };
            locked.commit(actor, &recalled).await?;
            return Ok(recalled);
        }
        let now = now_ms();
        if !role.may_recall_others() && now - message.created_at > limits::RECALL_WINDOW_MS {
            return Err(ErrorCode::RecallExpired.into());
        }
        let (id, place) = (message.id, (conversation.as_str(), message.seq));
        let detail: Option<MessageDetail> = detail(message, EntryKind::Message);
        let detail = detail.unwrap_or_default();
        let mentioned = detail.counted();
        locked.tx.mark_recalled(id, now).await?;
        if let Some(file) = detail.file.as_ref().map(|file| file.id) {
            let rest = MessageDetail {
                file: None,
                ..detail
            };
            let rest = log::detail(&rest)?;
            let (of, rest) = ((id, place.0, place.1), (Some(rest.as_str()), now));
            locked.tx.drop_file(of, file, rest).await?;
        }
        let emojis = locked.tx.clear_message(&conversation, id).await?;
        locked.tx.delete_mentions(place, &mentioned).await?;
        let entry = locked.append(actor, EntryKind::Recalled, None).await?;
        let recalled = Recalled {
            conversation,
            seq: entry.seq,
        };
        locked.commit(actor, &recalled).await?;
        log::push_to_members(self.im, &entry, &[]).await;
        if let Err(error) = self.im.store.forget_reactions(id, &emojis).await {
            tracing::warn!(%error, "reactions that nobody is shown are not deleted");
        }
        Ok(recalled)
    }
}
