//! Leaving, inviting and kicking: each is an entry of the group's log, holds from its commit on, and is pushed
//! to everybody whom it concerns, those who go included.

use lingxi_domain::GroupId;
use lingxi_store::EntryKind;

use super::Groups;
use super::cost::Priced;
use super::locked::{Locked, MembershipChange, Named, Size, existing};
use crate::actor::begin;
use crate::error::Failed;
use crate::{Actor, Result};

/// What is to be changed. Another user was looked up before: `None` where there is no such account.
enum Change {
    Leave,
    Invite(Named),
    Kick(Named),
}

impl Groups<'_> {
    /// The actor leaves; the entry of it is the last that he sees.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`; `forbidden` for the owner, who must hand over or dismiss first.
    pub async fn leave(&self, actor: &Actor, group: GroupId) -> Result<MembershipChange> {
        self.change(actor, group, Change::Leave).await
    }

    /// The actor, who is a member, brings somebody in.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`, `user_not_found`, `already_member`, `group_full`, `rate_limited`; `too_many_groups`
    /// for those who are in too many; `forbidden` where the user does not want it, or the group leaves it to
    /// administrators; `blocked` where the user blocks the actor.
    pub async fn invite(
        &self,
        actor: &Actor,
        group: GroupId,
        username: &str,
    ) -> Result<MembershipChange> {
        let found = self.im.names.resolve(username).await?;
        self.change(actor, group, Change::Invite(found)).await
    }

    /// The actor removes somebody of a lower role; the entry of it is the last that the removed one sees.
    ///
    /// # Errors
    /// `group_not_found`, `not_member` (also where the target is none), `forbidden`, `user_not_found`.
    pub async fn kick(
        &self,
        actor: &Actor,
        group: GroupId,
        username: &str,
    ) -> Result<MembershipChange> {
        let found = self.im.names.resolve(username).await?;
        self.change(actor, group, Change::Kick(found)).await
    }

    async fn change(
        &self,
        actor: &Actor,
        group: GroupId,
        change: Change,
    ) -> Result<MembershipChange> {
        let priced = match &change {
            Change::Leave => Priced::Own,
            Change::Invite(found) => Priced::Invitation(found.as_ref().map(|(id, _)| *id)),
            Change::Kick(_) => Priced::Kick,
        };
        let size = self.paid(actor, group, priced).await?;
        let once = || self.change_once(actor, group, (&change, size));
        Ok(self.im.store.retried(once).await?)
    }

    async fn change_once(
        &self,
        actor: &Actor,
        group: GroupId,
        (change, size): (&Change, Size),
    ) -> Result<MembershipChange, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group, size).await?;
        let who = match change {
            Change::Leave => {
                locked.may_leave(actor).await?;
                let own = (actor.user_id, actor.username.as_str());
                locked.remove(actor, EntryKind::Left, own).await?;
                own
            }
            Change::Invite(found) => {
                locked.own_membership(actor).await?;
                let who = existing(found)?;
                locked.may_invite(actor, who).await?;
                locked.add(actor, EntryKind::Invited, who).await?;
                who
            }
            Change::Kick(found) => {
                let who = locked.may_kick(actor, found).await?;
                locked.remove(actor, EntryKind::Kicked, who).await?;
                who
            }
        };
        let change = locked.change(who);
        locked.finish(actor, change).await
    }
}
