//! Links by which one joins.

use lingxi_domain::{ErrorCode, GroupId, limits, now_ms};
use lingxi_store::InviteLink;
use uuid::Uuid;

use super::Groups;
use super::locked::Locked;
use crate::error::Failed;
use crate::{Actor, Error, Result};

/// How long a link works, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NewLink {
    /// Seconds from now; for ever when nothing is said.
    pub expires_in: Option<i64>,
    /// How many may join by it; any number when nothing is said.
    pub max_uses: Option<i64>,
}

impl Groups<'_> {
    /// Makes a link that leads into a group, for those who may invite.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`, `too_many_links`; `forbidden` where the group leaves that to administrators;
    /// `invalid_request` naming the field.
    pub async fn make_link(
        &self,
        actor: &Actor,
        group: GroupId,
        new: NewLink,
    ) -> Result<InviteLink> {
        let NewLink {
            expires_in,
            max_uses,
        } = new;
        if expires_in.is_some_and(|seconds| !(1..=limits::MAX_LINK_SECONDS).contains(&seconds)) {
            let message = "expires_in: give seconds, from 1 to a year, or leave it out.";
            return Err(Error::invalid(message));
        }
        if max_uses.is_some_and(|uses| !(1..limits::MAX_INTEGER).contains(&uses)) {
            let message = "max_uses: give a positive integer, or leave it out.";
            return Err(Error::invalid(message));
        }
        let now = now_ms();
        let link = InviteLink {
            code: Uuid::new_v4().simple().to_string(),
            group_id: group,
            created_by: actor.user_id,
            created_at: now,
            expires_at: expires_in.map(|seconds| now + seconds * 1000),
            max_uses,
        };
        let once = || self.make_link_once(actor, &link);
        Ok(self.im.store.retried(once).await?)
    }

    async fn make_link_once(&self, actor: &Actor, link: &InviteLink) -> Result<InviteLink, Failed> {
        let tx = self.im.store.begin().await?;
        let mut locked = Locked::new(self.im, tx, link.group_id, None).await?;
        locked.must_be_let_invite(actor).await?;
        let tx = &mut locked.tx;
        let working = tx.working_links(link.group_id, link.created_at).await?;
        if working >= limits::MAX_INVITE_LINKS {
            return Err(ErrorCode::TooManyLinks.into());
        }
        tx.put_invite_link(link).await?;
        locked.tx.commit().await?;
        Ok(link.clone())
    }

    /// Takes a link away: for whoever made it and is in the group, and for the owner and administrators.
    ///
    /// # Errors
    /// `invite_link_not_found`, `not_member`, `forbidden`.
    pub async fn delete_link(&self, actor: &Actor, code: &str) -> Result<()> {
        let link = self.im.store.invite_link(code).await?;
        let link = link.ok_or(ErrorCode::InviteLinkNotFound)?;
        let once = || self.delete_link_once(actor, &link);
        Ok(self.im.store.retried(once).await?)
    }

    async fn delete_link_once(&self, actor: &Actor, link: &InviteLink) -> Result<(), Failed> {
        let tx = self.im.store.begin().await?;
        let mut locked = Locked::new(self.im, tx, link.group_id, None).await?;
        if link.created_by == actor.user_id {
            locked.own_membership(actor).await?;
        } else {
            locked.may_manage(actor).await?;
        }
        if !locked.tx.delete_invite_link(&link.code).await? {
            return Err(ErrorCode::InviteLinkNotFound.into());
        }
        Ok(locked.tx.commit().await?)
    }
}
