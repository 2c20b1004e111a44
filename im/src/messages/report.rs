//! Reporting a message to the operators.

use lingxi_domain::detail::searched;
use lingxi_domain::{ErrorCode, limits, names, now_ms};
use lingxi_store::{Entry, NewReport};

use super::Messages;
use crate::error::Failed;
use crate::{Actor, Error, Result};

impl Messages<'_> {
    /// Reports a message that the actor sees, with what it says now. Reporting it again changes nothing.
    ///
    /// # Errors
    /// `message_not_found`; `invalid_request` for a message of one's own, and for a reason that is missing or too long;
    /// `too_many_reports`.
    pub async fn report(&self, actor: &Actor, id: i64, reason: &str) -> Result<()> {
        let reason = names::line("reason", reason, limits::MAX_REASON_CHARS)?;
        if reason.is_empty() {
            return Err(Error::invalid(
                "reason: say what is wrong with the message.",
            ));
        }
        let message = self.visible(actor.user_id, id).await?;
        if message.recalled_at.is_some() {
            return Err(ErrorCode::MessageNotFound.into());
        }
        if message.sender_id == actor.user_id {
            return Err(Error::invalid(
                "id: this message is yours; recall it instead.",
            ));
        }
        let once = || self.report_once(actor, &message, &reason);
        Ok(self.im.store.retried(once).await?)
    }

    async fn report_once(
        &self,
        actor: &Actor,
        message: &Entry,
        reason: &str,
    ) -> Result<(), Failed> {
        let mut tx = self.im.store.begin().await?;
        // The lock keeps those that are made at once from being counted before each other.
        tx.lock_user(actor.user_id).await?;
        if tx.has_reported(actor.user_id, message.id).await? {
            return Ok(());
        }
        if tx.count_open_reports(actor.user_id).await? >= limits::MAX_OPEN_REPORTS {
            return Err(ErrorCode::TooManyReports.into());
        }
        let new = NewReport {
            message_id: message.id,
            conversation: &message.conversation,
            reporter: actor.user_id,
            author: message.sender_id,
            content: &searched(&message.content, message.detail.as_deref()),
            reason,
            created_at: now_ms(),
        };
        tx.add_report(&new).await?;
        tx.commit().await?;
        Ok(())
    }
}
