//! Reacting to a message.

use bytes::Bytes;
use lingxi_domain::detail::ReactionDetail;
use lingxi_domain::emoji::emoji;
use lingxi_domain::{ErrorCode, limits};
use lingxi_store::EntryKind;

use super::Messages;
use super::locked::LockedMessage;
use crate::actor::begin;
use crate::error::Failed;
use crate::{Actor, Result, log};

impl Messages<'_> {
    /// The actor reacts to a message with an emoji, or no longer does; answers the message as history shows it to them.
    /// What is so already is no news.
    ///
    /// # Errors
    /// `invalid_request` for what is no emoji; `message_not_found` for what the actor cannot see or what was recalled,
    /// `not_member` for who left, `muted`, `blocked`, `too_many_reactions`.
    pub async fn react(&self, actor: &Actor, id: i64, (text, on): (&str, bool)) -> Result<Bytes> {
        let emoji = emoji(text)?;
        let conversation = self.paid(actor, id).await?;
        let once = || self.react_once(actor, (id, conversation.as_deref()), (emoji, on));
        self.im.store.retried(once).await?;
        self.shown(actor.user_id, id).await
    }

    async fn react_once(
        &self,
        actor: &Actor,
        which: (i64, Option<&str>),
        (emoji, on): (&str, bool),
    ) -> Result<(), Failed> {
        let tx = begin!(actor, &self.im.store);
        let mut locked = LockedMessage::new(self.im, tx, actor, which).await?;
        locked.may_speak(actor)?;
        let (id, user) = (locked.message.id, actor.user_id);
        let seq = locked.next_seq();
        let tx = &mut locked.tx;
        #[cfg(feature = "sabotage")]
        if on && crate::sabotage::planted("reaction-twice") {
            let (before, _) = tx.reaction_kinds(id, emoji).await?;
            tx.remove_reaction((id, emoji), user, before).await?;
        }
        if tx.has_reacted(id, emoji, user).await? == on {
            return locked.commit(actor, &()).await;
        }
        let (before, kinds) = tx.reaction_kinds(id, emoji).await?;
        let count = if on { before + 1 } else { before - 1 };
        if on {
            if before == 0 && kinds >= limits::MAX_REACTION_KINDS {
                return Err(ErrorCode::TooManyReactions.into());
            }
            tx.add_reaction((id, emoji), user, (count, seq)).await?;
        } else {
            tx.remove_reaction((id, emoji), user, count).await?;
        }
        let detail = log::detail(&ReactionDetail {
            emoji: emoji.to_owned(),
            on,
            count,
        })?;
        let entry = locked
            .append(actor, EntryKind::Reacted, Some(&detail))
            .await?;
        locked.commit(actor, &()).await?;
        log::push_to_members(self.im, &entry, &[]).await;
        Ok(())
    }
}
