//! Who may do what in a group, judged under the lock of its conversation.

use lingxi_domain::invitations::WhoMayInvite;
use lingxi_domain::policies::{InvitePolicy, JoinPolicy};
use lingxi_domain::role::GroupRole;
use lingxi_domain::{ErrorCode, UserId, now_ms};
use lingxi_store::{InviteLink, Member};

use super::locked::{Locked, Named, existing};
use crate::error::Failed;
use crate::{Actor, Error, Result};

/// How somebody gets in who wants to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// At once.
    In,
    /// When the owner or an administrator lets them in.
    Waits,
}

impl Locked<'_> {
    pub(super) async fn may_leave(&mut self, actor: &Actor) -> Result<(), Failed> {
        if self.own_membership(actor).await?.role == GroupRole::Owner {
            let message = "The owner cannot leave; dismiss the group or hand it over first.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok(())
    }

    /// Who was removed by others does not come back uninvited.
    pub(super) async fn may_join(&mut self, actor: &Actor) -> Result<(), Failed> {
        let former = self.membership_of(actor.user_id).await?;
        if former.as_ref().is_some_and(Member::is_active) {
            return Err(ErrorCode::AlreadyMember.into());
        }
        if let Some(former) = former
            && self.tx.was_kicked(&former).await?
        {
            let message =
                "You were removed from this group; ask one of its members to invite you back.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok(())
    }

    /// Users choose who may take them into groups.
    pub(super) async fn may_invite(
        &mut self,
        actor: &Actor,
        who: (UserId, &str),
    ) -> Result<(), Failed> {
        self.must_be_let_invite(actor).await?;
        let (id, username) = who;
        if self.tx.blocks(id, actor.user_id).await? {
            let message = format!("{username} does not accept invitations from you.");
            return Err(Error::new(ErrorCode::Blocked, message).into());
        }
        let allowed = match self.tx.who_may_invite(id).await? {
            WhoMayInvite::Everyone => true,
            WhoMayInvite::Contacts => self.tx.is_contact(id, actor.user_id).await?,
            WhoMayInvite::Nobody => false,
        };
        if !allowed && id != actor.user_id {
            let message = format!(
                "{username} does not accept this invitation; tell them the group's id, and they can join by themselves."
            );
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok(())
    }

    /// Answers whom.
    pub(super) async fn may_kick<'n>(
        &mut self,
        actor: &Actor,
        found: &'n Named,
    ) -> Result<(UserId, &'n str), Failed> {
        let me = self.own_membership(actor).await?;
        if !me.role.may_kick(GroupRole::Member) {
            let message =
                "Only the group's owner and its administrators remove members; ask one of them.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        let (id, username) = existing(found)?;
        let target = self.active(id).await?.ok_or_else(|| {
            let message = format!("{username} is not a member of this group.");
            Error::new(ErrorCode::NotMember, message)
        })?;
        if !me.role.may_kick(target.role) {
            let message =
                "Your role in this group does not allow you to remove that member; ask the owner.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok((id, username))
    }

    /// The group leaves inviting to everybody, or to some.
    pub(super) async fn must_be_let_invite(&mut self, actor: &Actor) -> Result<(), Failed> {
        let me = self.own_membership(actor).await?;
        if !self.lets_invite(&me) {
            let message = "In this group its owner and administrators invite; ask one of them.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok(())
    }

    /// Whether this member may invite others.
    fn lets_invite(&self, member: &Member) -> bool {
        self.settings.invite_policy == InvitePolicy::Members || member.role.may_manage()
    }

    /// How the actor, who may join, gets in: by a link that works, or as the group has it.
    pub(super) async fn admission(
        &mut self,
        link: Option<&InviteLink>,
    ) -> Result<Admission, Failed> {
        if let Some(link) = link {
            // A link is its maker's invitation, and worth what that is worth now.
            let maker = self.active(link.created_by).await?;
            let may_invite = maker.is_some_and(|maker| self.lets_invite(&maker));
            let tx = &mut self.tx;
            let works = may_invite && tx.use_invite_link(&link.code, self.group, now_ms()).await?;
            return if works {
                Ok(Admission::In)
            } else {
                Err(ErrorCode::InviteLinkNotFound.into())
            };
        }
        match self.settings.join_policy {
            JoinPolicy::Open => Ok(Admission::In),
            JoinPolicy::Approval => Ok(Admission::Waits),
            JoinPolicy::Invite => {
                let message = "This group is joined by invitation; ask one of its members for one.";
                Err(Error::new(ErrorCode::Forbidden, message).into())
            }
        }
    }

    /// The actor's membership, who is the owner or an administrator.
    pub(super) async fn may_manage(&mut self, actor: &Actor) -> Result<Member, Failed> {
        let me = self.own_membership(actor).await?;
        if !me.role.may_manage() {
            let message = "Only the group's owner and its administrators do this; ask one of them.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok(me)
    }

    pub(super) async fn must_own(&mut self, actor: &Actor) -> Result<(), Failed> {
        if self.own_membership(actor).await?.role != GroupRole::Owner {
            let message = "Only the group's owner does this; ask them.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok(())
    }

    /// Another member, whom the actor names.
    pub(super) async fn other_member<'n>(
        &mut self,
        actor: &Actor,
        found: &'n Named,
    ) -> Result<(Member, &'n str), Failed> {
        let (id, username) = existing(found)?;
        if id == actor.user_id {
            let message = "target_username: name another member than yourself.";
            return Err(Error::invalid(message).into());
        }
        let member = self.active(id).await?.ok_or_else(|| {
            let message = format!("{username} is not a member of this group.");
            Error::new(ErrorCode::NotMember, message)
        })?;
        Ok((member, username))
    }
}
