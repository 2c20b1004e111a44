//! Giving a message another text.

use bytes::Bytes;
use lingxi_domain::detail::{EditDetail, MessageDetail};
use lingxi_domain::frame::content;
use lingxi_domain::{ErrorCode, limits, now_ms};
use lingxi_store::EntryKind;

use super::Messages;
use super::locked::LockedMessage;
use crate::actor::begin;
use crate::error::Failed;
use crate::frames::{Beside, detail, file_of, framed};
use crate::{Actor, Error, Result, log};

impl Messages<'_> {
    /// Gives a message another text, and answers it as history shows it; its file stays. Its sender may within fifteen minutes. The text
    /// that it has already is no news. A forwarded one stays as it is: it says who said it.
    ///
    /// # Errors
    /// `invalid_request` and `too_large` for the text; `message_not_found` for what the actor cannot see or what was
    /// recalled, `not_member` for who left, `forbidden`, `edit_expired`, `muted`, `blocked`.
    pub async fn edit(&self, actor: &Actor, id: i64, text: &str) -> Result<Bytes> {
        // Whether it may be empty is known only when the message is.
        check(text, true)?;
        let conversation = self.paid(actor, id).await?;
        let once = || self.edit_once(actor, (id, conversation.as_deref()), text);
        self.im.store.retried(once).await?;
        self.shown(actor.user_id, id).await
    }

    async fn edit_once(
        &self,
        actor: &Actor,
        which: (i64, Option<&str>),
        text: &str,
    ) -> Result<(), Failed> {
        let tx = begin!(actor, &self.im.store);
        let mut locked = LockedMessage::new(self.im, tx, actor, which).await?;
        let message = &locked.message;
        if message.sender_id != actor.user_id {
            let message = "Only its sender edits a message.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        locked.may_speak(actor)?;
        let beside: Option<MessageDetail> = detail(message, EntryKind::Message);
        if beside.is_some_and(|beside| beside.forwarded_from.is_some()) {
            let message = "A forwarded message says what somebody else said; send one of your own.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        check(text, file_of(message).is_some())?;
        if message.content == text {
            return locked.commit(actor, &()).await;
        }
        let now = now_ms();
        if now - message.created_at > limits::EDIT_WINDOW_MS {
            return Err(ErrorCode::EditExpired.into());
        }
        let (id, seq) = (message.id, message.seq);
        let conversation = locked.conversation().to_owned();
        // Whoever joined since does not see the message, and not what it says now.
        let open = !locked.tx.has_later_members(&conversation, seq).await?;
        #[cfg(feature = "sabotage")]
        let text = if crate::sabotage::planted("edit-lost") {
            &locked.message.content.clone()
        } else {
            text
        };
        let edited = (now, locked.next_seq());
        locked.tx.edit_message(id, text, edited).await?;
        let open_to = log::detail(&EditDetail { open })?;
        let entry = locked
            .append(actor, EntryKind::Edited, Some(&open_to))
            .await?;
        locked.commit(actor, &()).await?;
        let beside = Beside {
            content: Some(text).filter(|_| open),
            ..Beside::default()
        };
        let frame = framed(&entry, &beside);
        log::push_frame_to_members(self.im, &entry, (frame, &[])).await;
        Ok(())
    }
}

fn check(text: &str, has_file: bool) -> Result<()> {
    content::check(text, has_file).map_err(|refused| Error::new(refused.code, refused.message))
}
