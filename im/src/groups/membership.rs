//! Joining, leaving, inviting and kicking: each is an entry of the group's log, holds from its commit on, and is pushed
//! to everybody whom it concerns, those who go included.

use lingxi_domain::role::GroupRole;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, Seq, UserId, now_ms};
use lingxi_store::{ConversationHead, Entry, EntryKind, Member, Tx};
use serde::{Deserialize, Serialize};

use super::Groups;
use crate::actor::begin;
use crate::error::Failed;
use crate::log::{self, Event};
use crate::{Actor, Error, Inner, Result};

/// A change of who is in a group, as it stands in the group's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipChange {
    /// The group.
    pub group_id: GroupId,
    /// Its conversation's key.
    pub conversation: String,
    /// The place of the entry.
    pub seq: Seq,
    /// Whose membership changed.
    pub username: String,
}

impl Groups<'_> {
    /// The actor joins; what he sees begins with the entry of it.
    ///
    /// # Errors
    /// `group_not_found`, `already_member`, `group_full`.
    pub async fn join(&self, actor: &Actor, group: GroupId) -> Result<MembershipChange> {
        let once = || self.join_once(actor, group);
        Ok(self.im.store.retried(once).await?)
    }

    async fn join_once(&self, actor: &Actor, group: GroupId) -> Result<MembershipChange, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group).await?;
        let own = (actor.user_id, actor.username.as_str());
        locked.add(actor, EntryKind::Joined, own).await?;
        locked.finish(actor, own).await
    }

    /// The actor leaves; the entry of it is the last that he sees.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`; `forbidden` for the owner, who must hand over or dismiss first.
    pub async fn leave(&self, actor: &Actor, group: GroupId) -> Result<MembershipChange> {
        let once = || self.leave_once(actor, group);
        Ok(self.im.store.retried(once).await?)
    }

    async fn leave_once(&self, actor: &Actor, group: GroupId) -> Result<MembershipChange, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group).await?;
        let me = locked
            .active(actor.user_id)
            .await?
            .ok_or(ErrorCode::NotMember)?;
        if me.role == GroupRole::Owner {
            let message = "The owner cannot leave; dismiss the group or hand it over first.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        let own = (actor.user_id, actor.username.as_str());
        locked.remove(actor, EntryKind::Left, own).await?;
        locked.finish(actor, own).await
    }

    /// The actor, who is a member, brings somebody in.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`, `user_not_found`, `already_member`, `group_full`.
    pub async fn invite(
        &self,
        actor: &Actor,
        group: GroupId,
        username: &str,
    ) -> Result<MembershipChange> {
        let found = self.im.names.resolve(username).await?;
        let once = || self.invite_once(actor, group, found.clone());
        Ok(self.im.store.retried(once).await?)
    }

    async fn invite_once(
        &self,
        actor: &Actor,
        group: GroupId,
        found: Option<(UserId, String)>,
    ) -> Result<MembershipChange, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group).await?;
        locked
            .active(actor.user_id)
            .await?
            .ok_or(ErrorCode::NotMember)?;
        let (id, username) = found.ok_or(ErrorCode::UserNotFound)?;
        locked
            .add(actor, EntryKind::Invited, (id, &username))
            .await?;
        locked.finish(actor, (id, &username)).await
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
        let once = || self.kick_once(actor, group, found.clone());
        Ok(self.im.store.retried(once).await?)
    }

    async fn kick_once(
        &self,
        actor: &Actor,
        group: GroupId,
        found: Option<(UserId, String)>,
    ) -> Result<MembershipChange, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group).await?;
        let me = locked
            .active(actor.user_id)
            .await?
            .ok_or(ErrorCode::NotMember)?;
        if !me.role.may_kick(GroupRole::Member) {
            let message =
                "Only the group's owner and its administrators remove members; ask one of them.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        let (id, username) = found.ok_or(ErrorCode::UserNotFound)?;
        let target = locked.active(id).await?.ok_or_else(|| {
            let message = format!("{username} is not a member of this group.");
            Error::new(ErrorCode::NotMember, message)
        })?;
        if !me.role.may_kick(target.role) {
            let message =
                "Your role in this group does not allow you to remove that member; ask the owner.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        locked
            .remove(actor, EntryKind::Kicked, (id, &username))
            .await?;
        locked.finish(actor, (id, &username)).await
    }
}

/// A group whose conversation is locked by this transaction.
struct Locked<'a> {
    im: &'a Inner,
    tx: Tx,
    group: GroupId,
    head: ConversationHead,
    capacity: i64,
    written: Option<(Entry, Vec<UserId>)>,
}

impl<'a> Locked<'a> {
    async fn new(im: &'a Inner, mut tx: Tx, group: GroupId) -> Result<Self, Failed> {
        let conversation = ConversationKey::Group(group).to_string();
        let head = tx
            .lock_conversation(&conversation)
            .await?
            .ok_or(ErrorCode::GroupNotFound)?;
        let capacity = tx
            .group_capacity(group)
            .await?
            .ok_or(ErrorCode::GroupNotFound)?;
        Ok(Self {
            im,
            tx,
            group,
            head,
            capacity,
            written: None,
        })
    }

    /// The user's membership, if it holds now.
    async fn active(&mut self, user: UserId) -> Result<Option<Member>, Failed> {
        let member = self.tx.member(&self.head.conversation, user).await?;
        Ok(member.filter(Member::is_active))
    }

    async fn add(
        &mut self,
        actor: &Actor,
        kind: EntryKind,
        who: (UserId, &str),
    ) -> Result<(), Failed> {
        if self.active(who.0).await?.is_some() {
            return Err(ErrorCode::AlreadyMember.into());
        }
        let mut receivers = self.member_ids().await?;
        if i64::try_from(receivers.len()).unwrap_or(i64::MAX) >= self.capacity {
            return Err(ErrorCode::GroupFull.into());
        }
        receivers.push(who.0);
        let entry = self.append(actor, kind, who).await?;
        let row = [(who.0, GroupRole::Member)];
        self.tx
            .add_members(&self.head.conversation, &row, entry.seq, now_ms())
            .await?;
        self.written = Some((entry, receivers));
        Ok(())
    }

    async fn remove(
        &mut self,
        actor: &Actor,
        kind: EntryKind,
        who: (UserId, &str),
    ) -> Result<(), Failed> {
        let receivers = self.member_ids().await?;
        let entry = self.append(actor, kind, who).await?;
        self.tx
            .end_membership(&self.head.conversation, who.0, entry.seq)
            .await?;
        self.written = Some((entry, receivers));
        Ok(())
    }

    async fn member_ids(&mut self) -> Result<Vec<UserId>, Failed> {
        let members = self.tx.active_members(&[&self.head.conversation]).await?;
        Ok(members.into_iter().map(|member| member.user_id).collect())
    }

    async fn append(
        &mut self,
        actor: &Actor,
        kind: EntryKind,
        (target, name): (UserId, &str),
    ) -> Result<Entry, Failed> {
        let event = Event {
            kind,
            target,
            target_seq: None,
            target_name: Some(name),
        };
        let key = ConversationKey::Group(self.group);
        let partitions = self.im.config.partitions;
        let entry =
            log::append(&mut self.tx, &mut self.head, key, partitions, actor, event).await?;
        self.head.version += 1;
        Ok(entry)
    }

    /// Commits, then pushes.
    async fn finish(
        mut self,
        actor: &Actor,
        (_, name): (UserId, &str),
    ) -> Result<MembershipChange, Failed> {
        self.tx.put_heads(std::slice::from_ref(&self.head)).await?;
        let change = MembershipChange {
            group_id: self.group,
            conversation: self.head.conversation,
            seq: self.head.last_seq,
            username: name.to_owned(),
        };
        actor.commit(self.tx, &change).await?;
        if let Some((entry, receivers)) = &self.written {
            log::push(self.im, entry, receivers).await;
        }
        Ok(change)
    }
}
