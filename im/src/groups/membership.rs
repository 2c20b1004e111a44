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

/// What is to be changed. Another user was looked up before: `None` where there is no such account.
enum Change {
    Join,
    Leave,
    Invite(Option<(UserId, String)>),
    Kick(Option<(UserId, String)>),
}

impl Groups<'_> {
    /// The actor joins; what he sees begins with the entry of it.
    ///
    /// # Errors
    /// `group_not_found`, `already_member`, `group_full`.
    pub async fn join(&self, actor: &Actor, group: GroupId) -> Result<MembershipChange> {
        self.change(actor, group, Change::Join).await
    }

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
    /// `group_not_found`, `not_member`, `user_not_found`, `already_member`, `group_full`.
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
        let once = || self.change_once(actor, group, &change);
        Ok(self.im.store.retried(once).await?)
    }

    async fn change_once(
        &self,
        actor: &Actor,
        group: GroupId,
        change: &Change,
    ) -> Result<MembershipChange, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group).await?;
        let own = (actor.user_id, actor.username.as_str());
        let who = match change {
            Change::Join => {
                locked.add(actor, EntryKind::Joined, own).await?;
                own
            }
            Change::Leave => {
                locked.may_leave(actor).await?;
                locked.remove(actor, EntryKind::Left, own).await?;
                own
            }
            Change::Invite(found) => {
                locked.own_membership(actor).await?;
                let who = existing(found)?;
                locked.add(actor, EntryKind::Invited, who).await?;
                who
            }
            Change::Kick(found) => {
                let who = locked.may_kick(actor, found).await?;
                locked.remove(actor, EntryKind::Kicked, who).await?;
                who
            }
        };
        locked.finish(actor, who).await
    }
}

fn existing(found: &Option<(UserId, String)>) -> Result<(UserId, &str)> {
    let (id, username) = found.as_ref().ok_or(ErrorCode::UserNotFound)?;
    Ok((*id, username))
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

    async fn own_membership(&mut self, actor: &Actor) -> Result<Member, Failed> {
        let me = self.active(actor.user_id).await?;
        Ok(me.ok_or(ErrorCode::NotMember)?)
    }

    async fn may_leave(&mut self, actor: &Actor) -> Result<(), Failed> {
        if self.own_membership(actor).await?.role == GroupRole::Owner {
            let message = "The owner cannot leave; dismiss the group or hand it over first.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok(())
    }

    /// Answers whom.
    async fn may_kick<'n>(
        &mut self,
        actor: &Actor,
        found: &'n Option<(UserId, String)>,
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
