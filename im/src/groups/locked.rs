//! A group under the lock of its conversation: what may be changed, the entry of the change, and who is told.

use lingxi_domain::invitations::WhoMayInvite;
use lingxi_domain::role::GroupRole;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, Seq, UserId, now_ms};
use lingxi_store::{ConversationHead, Entry, EntryKind, Member, Tx};
use serde::{Deserialize, Serialize};

use super::room::room_for_a_group;
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

pub(super) fn existing(found: &Option<(UserId, String)>) -> Result<(UserId, &str)> {
    let (id, username) = found.as_ref().ok_or(ErrorCode::UserNotFound)?;
    Ok((*id, username))
}

/// A group whose conversation is locked by this transaction.
pub(super) struct Locked<'a> {
    im: &'a Inner,
    tx: Tx,
    group: GroupId,
    head: ConversationHead,
    capacity: i64,
    /// Members as counted before the lock, and the version they were counted at.
    size: Option<(i64, i64)>,
    written: Option<Entry>,
    /// Who went with the entry that was written, and sees it as their last.
    gone: Option<UserId>,
}

impl<'a> Locked<'a> {
    pub(super) async fn new(
        im: &'a Inner,
        mut tx: Tx,
        group: GroupId,
        size: Option<(i64, i64)>,
    ) -> Result<Self, Failed> {
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
            size,
            written: None,
            gone: None,
        })
    }

    /// The user's membership, if it holds now.
    async fn active(&mut self, user: UserId) -> Result<Option<Member>, Failed> {
        let member = self.tx.member(&self.head.conversation, user).await?;
        Ok(member.filter(Member::is_active))
    }

    pub(super) async fn own_membership(&mut self, actor: &Actor) -> Result<Member, Failed> {
        let me = self.active(actor.user_id).await?;
        Ok(me.ok_or(ErrorCode::NotMember)?)
    }

    pub(super) async fn may_leave(&mut self, actor: &Actor) -> Result<(), Failed> {
        if self.own_membership(actor).await?.role == GroupRole::Owner {
            let message = "The owner cannot leave; dismiss the group or hand it over first.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        Ok(())
    }

    /// Who was removed by others does not come back uninvited.
    pub(super) async fn may_join(&mut self, actor: &Actor) -> Result<(), Failed> {
        let former = self
            .tx
            .member(&self.head.conversation, actor.user_id)
            .await?;
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
        let (id, username) = who;
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

    pub(super) async fn add(
        &mut self,
        actor: &Actor,
        kind: EntryKind,
        who: (UserId, &str),
    ) -> Result<(), Failed> {
        if self.active(who.0).await?.is_some() {
            return Err(ErrorCode::AlreadyMember.into());
        }
        if self.members().await? >= self.capacity {
            return Err(ErrorCode::GroupFull.into());
        }
        room_for_a_group(self.im, &mut self.tx, who.0).await?;
        let entry = self.append(actor, kind, who).await?;
        let row = [(who.0, GroupRole::Member)];
        self.tx
            .add_members(&self.head.conversation, &row, entry.seq, now_ms())
            .await?;
        self.written = Some(entry);
        Ok(())
    }

    pub(super) async fn remove(
        &mut self,
        actor: &Actor,
        kind: EntryKind,
        who: (UserId, &str),
    ) -> Result<(), Failed> {
        let entry = self.append(actor, kind, who).await?;
        self.tx
            .end_membership(&self.head.conversation, who.0, entry.seq)
            .await?;
        self.written = Some(entry);
        self.gone = Some(who.0);
        Ok(())
    }

    /// How many members there are. Others wait for the lock: they are counted under it only where they changed since.
    async fn members(&mut self) -> Result<i64, Failed> {
        match self.size {
            Some((version, members)) if version == self.head.version => Ok(members),
            _ => Ok(self
                .tx
                .count_present_members(&self.head.conversation)
                .await?),
        }
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
    pub(super) async fn finish(
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
        if let Some(entry) = &self.written {
            log::push_to_members(self.im, entry, self.gone).await;
        }
        Ok(change)
    }
}
