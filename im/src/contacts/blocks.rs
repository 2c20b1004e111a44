//! Whom a user blocks: their private messages and invitations are refused, and they do not see whether the user is there.

use lingxi_domain::{ErrorCode, UserId, limits, names, now_ms};
use lingxi_proto::bus::{Push, control};

use super::{Contacts, Saved};
use crate::actor::begin;
use crate::error::Failed;
use crate::{Actor, Error, Listed, ListedUser, Page, Result, log};

impl Contacts<'_> {
    /// Whom a user blocks, by name; a page goes on behind the username of its last one.
    pub async fn blocked_page(
        &self,
        user: UserId,
        page: &Page<String>,
    ) -> Result<Listed<ListedUser>> {
        let after = page.after.as_deref().map(names::username_key);
        let (after, rows) = (after.unwrap_or_default(), page.rows());
        let found = self.im.store.blocked_page(user, &after, rows + 1).await?;
        Ok(Listed::fitting(
            found.into_iter().map(ListedUser::from),
            rows,
        ))
    }

    /// The actor blocks a user; from the commit on. Blocking again changes nothing.
    ///
    /// # Errors
    /// `user_not_found`, `too_many_blocked`; `invalid_request` for oneself.
    pub async fn block(&self, actor: &Actor, username: &str) -> Result<Saved> {
        self.set_blocked(actor, username, true).await
    }

    /// The actor no longer blocks a user.
    ///
    /// # Errors
    /// `user_not_found`.
    pub async fn unblock(&self, actor: &Actor, username: &str) -> Result<Saved> {
        self.set_blocked(actor, username, false).await
    }

    async fn set_blocked(&self, actor: &Actor, username: &str, blocked: bool) -> Result<Saved> {
        let found = self.im.names.resolve(username).await?;
        let (id, username) = found.ok_or(ErrorCode::UserNotFound)?;
        if id == actor.user_id {
            let message = "username: you cannot block yourself; name another user.";
            return Err(Error::invalid(message));
        }
        let saved = Saved { id, username };
        let once = || self.set_blocked_once(actor, &saved, blocked);
        let changed = self.im.store.retried(once).await?;
        // Whether they see who is there; a gateway that is not told finds out before long.
        let news = Push::control(control::Kind::SightChanged(true));
        log::publish(self.im, std::iter::once((saved.id, news))).await;
        Ok(changed)
    }

    async fn set_blocked_once(
        &self,
        actor: &Actor,
        saved: &Saved,
        blocked: bool,
    ) -> Result<Saved, Failed> {
        let mut tx = begin!(actor, &self.im.store);
        let pair = (actor.user_id, saved.id);
        tx.set_blocked(pair, blocked, now_ms()).await?;
        if blocked {
            // The lock keeps those that are blocked at once from being counted before each other.
            tx.lock_user(actor.user_id).await?;
            let most = limits::MAX_BLOCKED;
            if tx.count_blocked(actor.user_id, most + 1).await? > most {
                return Err(ErrorCode::TooManyBlocked.into());
            }
        }
        actor.commit(tx, saved).await?;
        Ok(saved.clone())
    }
}
