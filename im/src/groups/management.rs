//! What owners and administrators change: the group's words and rules, members' roles and mutes, its end.

use lingxi_domain::frame::server::Changes;
use lingxi_domain::policies::{InvitePolicy, JoinPolicy};
use lingxi_domain::role::GroupRole;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, UserId, limits, names, now_ms, validate};
use lingxi_store::GroupSettings;

use super::cost::Priced;
use super::locked::{Locked, Named, Size};
use super::{Group, GroupMember, Groups};
use crate::actor::begin;
use crate::error::Failed;
use crate::{Actor, Error, Result};

/// What is to be changed of a group; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupUpdate {
    /// Its name.
    pub name: Option<String>,
    /// What its members should know; empty for nothing.
    pub announcement: Option<String>,
    /// How many members it may have, no fewer than it has.
    pub max_count: Option<i64>,
    /// How one joins.
    pub join_policy: Option<JoinPolicy>,
    /// Who invites.
    pub invite_policy: Option<InvitePolicy>,
}

/// What is to be changed of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MemberUpdate {
    Mute(i64),
    Role(GroupRole),
    Owner,
}

impl Groups<'_> {
    /// Changes what a group says of itself, and its rules; for its owner and administrators. Where nothing changes, nobody
    /// is told.
    ///
    /// # Errors
    /// `invalid_request` naming the field, `group_not_found`, `not_member`, `forbidden`, `rate_limited`.
    pub async fn update(
        &self,
        actor: &Actor,
        group: GroupId,
        update: &GroupUpdate,
    ) -> Result<Group> {
        let name = update.name.as_deref();
        let name = name.map(|name| names::display_name("name", name));
        let announcement = update.announcement.as_deref();
        let announcement =
            announcement.map(|text| names::text("announcement", text, limits::MAX_REMARK_CHARS));
        update.max_count.map_or(Ok(()), validate::max_count)?;
        let update = GroupUpdate {
            name: name.transpose()?,
            announcement: announcement.transpose()?,
            ..update.clone()
        };
        let size = self.paid(actor, group, Priced::Own).await?;
        let once = || self.update_once(actor, group, (&update, size));
        self.im.store.retried(once).await?;
        self.info(actor.user_id, group).await
    }

    async fn update_once(
        &self,
        actor: &Actor,
        group: GroupId,
        (update, size): (&GroupUpdate, Size),
    ) -> Result<(), Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group, size).await?;
        locked.may_manage(actor).await?;
        let before = locked.settings.clone();
        let now = applied(update, &before);
        if now.max_count < before.max_count {
            let members = locked.members().await?;
            if now.max_count < members {
                let message =
                    format!("max_count: the group has {members} members; remove some first.");
                return Err(Error::invalid(message).into());
            }
        }
        if now != before {
            locked.tx.put_group_settings(group, &before, &now).await?;
            locked.group_updated(actor, &changed(before, now)).await?;
        }
        locked.finish(actor, ()).await
    }

    /// Mutes a member of a lower role until a time, milliseconds since the Unix epoch, or lifts that with 0.
    ///
    /// # Errors
    /// `invalid_request` for a time that is over or oneself, `group_not_found`, `user_not_found`, `not_member` (also where
    /// the target is none), `forbidden`, `rate_limited`.
    pub async fn mute(
        &self,
        actor: &Actor,
        (group, username): (GroupId, &str),
        until: i64,
    ) -> Result<GroupMember> {
        if until != 0 && !(now_ms()..limits::MAX_INTEGER).contains(&until) {
            let message = "until: give a time to come, in milliseconds since the Unix epoch, or 0 to lift it.";
            return Err(Error::invalid(message));
        }
        let update = MemberUpdate::Mute(until);
        self.update_member(actor, (group, username), update).await
    }

    /// Makes a member an administrator, or no longer one; for the owner.
    ///
    /// # Errors
    /// `invalid_request` for oneself, `group_not_found`, `user_not_found`, `not_member` (also where the target is none),
    /// `forbidden`, `rate_limited`.
    pub async fn set_role(
        &self,
        actor: &Actor,
        (group, username): (GroupId, &str),
        admin: bool,
    ) -> Result<GroupMember> {
        let role = if admin {
            GroupRole::Admin
        } else {
            GroupRole::Member
        };
        let update = MemberUpdate::Role(role);
        self.update_member(actor, (group, username), update).await
    }

    /// Hands the group over to a member; the actor, who was the owner, is an administrator from then on.
    ///
    /// # Errors
    /// As [`Self::set_role`].
    pub async fn transfer(
        &self,
        actor: &Actor,
        (group, username): (GroupId, &str),
    ) -> Result<Group> {
        self.update_member(actor, (group, username), MemberUpdate::Owner)
            .await?;
        self.info(actor.user_id, group).await
    }

    async fn update_member(
        &self,
        actor: &Actor,
        (group, username): (GroupId, &str),
        update: MemberUpdate,
    ) -> Result<GroupMember> {
        let found = self.im.names.resolve(username).await?;
        let size = self.paid(actor, group, Priced::Own).await?;
        let once = || self.update_member_once(actor, group, (&found, update, size));
        let target = self.im.store.retried(once).await?;
        let key = ConversationKey::Group(group).to_string();
        let member = self.im.store.group_member(&key, target).await?;
        // They may have left in between.
        member
            .map(GroupMember::from)
            .ok_or_else(|| ErrorCode::NotMember.into())
    }

    async fn update_member_once(
        &self,
        actor: &Actor,
        group: GroupId,
        (found, update, size): (&Named, MemberUpdate, Size),
    ) -> Result<UserId, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group, size).await?;
        match update {
            MemberUpdate::Mute(_) => drop(locked.may_manage(actor).await?),
            MemberUpdate::Role(_) | MemberUpdate::Owner => locked.must_own(actor).await?,
        }
        let (member, name) = locked.other_member(actor, found).await?;
        let me = locked.own_membership(actor).await?;
        if matches!(update, MemberUpdate::Mute(_)) && !me.role.may_kick(member.role) {
            let message =
                "Your role in this group does not allow you to mute that member; ask the owner.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        let (id, key) = (member.user_id, member.conversation.as_str());
        let changes = match update {
            MemberUpdate::Mute(until) if until == member.muted_until => None,
            MemberUpdate::Mute(until) => {
                locked.tx.set_muted_until(key, id, until).await?;
                Some(Changes {
                    muted_until: Some(until),
                    ..Changes::default()
                })
            }
            MemberUpdate::Role(role) if role == member.role => None,
            MemberUpdate::Role(role) => {
                locked.tx.set_member_role(key, id, role).await?;
                Some(role_change(role))
            }
            MemberUpdate::Owner => {
                let tx = &mut locked.tx;
                tx.set_member_role(key, id, GroupRole::Owner).await?;
                tx.set_muted_until(key, id, 0).await?;
                tx.set_member_role(key, actor.user_id, GroupRole::Admin)
                    .await?;
                tx.set_owner(group, id).await?;
                Some(role_change(GroupRole::Owner))
            }
        };
        if let Some(changes) = changes {
            locked.member_updated(actor, (id, name), &changes).await?;
        }
        locked.finish(actor, id).await
    }

    /// Ends a group, for its owner: everybody sees the entry of it as their last, and nobody finds or joins it any more.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`, `forbidden`, `rate_limited`.
    pub async fn dismiss(&self, actor: &Actor, group: GroupId) -> Result<()> {
        let size = self.paid(actor, group, Priced::Own).await?;
        let once = || self.dismiss_once(actor, group, size);
        Ok(self.im.store.retried(once).await?)
    }

    async fn dismiss_once(&self, actor: &Actor, group: GroupId, size: Size) -> Result<(), Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group, size).await?;
        locked.must_own(actor).await?;
        locked.dismiss(actor).await?;
        locked.finish(actor, ()).await
    }
}

fn role_change(role: GroupRole) -> Changes {
    Changes {
        role: Some(role.as_str().to_owned()),
        ..Changes::default()
    }
}

fn applied(update: &GroupUpdate, before: &GroupSettings) -> GroupSettings {
    let GroupUpdate {
        name,
        announcement,
        max_count,
        join_policy,
        invite_policy,
    } = update.clone();
    GroupSettings {
        name: name.unwrap_or_else(|| before.name.clone()),
        announcement: announcement.unwrap_or_else(|| before.announcement.clone()),
        max_count: max_count.unwrap_or(before.max_count),
        join_policy: join_policy.unwrap_or(before.join_policy),
        invite_policy: invite_policy.unwrap_or(before.invite_policy),
    }
}

/// What is another one now.
fn changed(before: GroupSettings, now: GroupSettings) -> Changes {
    fn other<T: PartialEq>(before: T, now: T) -> Option<T> {
        (now != before).then_some(now)
    }
    Changes {
        name: other(before.name, now.name),
        announcement: other(before.announcement, now.announcement),
        max_count: other(before.max_count, now.max_count),
        join_policy: other(before.join_policy, now.join_policy),
        invite_policy: other(before.invite_policy, now.invite_policy),
        ..Changes::default()
    }
}
