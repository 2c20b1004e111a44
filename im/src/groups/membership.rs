//! Joining, leaving, inviting and kicking: each is an entry of the group's log, holds from its commit on, and is pushed
//! to everybody whom it concerns, those who go included.

use lingxi_domain::invitations::WhoMayInvite;
use lingxi_domain::role::GroupRole;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, Seq, UserId, now_ms};
use lingxi_store::{ConversationHead, Entry, EntryKind, Member, Tx};
use serde::{Deserialize, Serialize};

use super::Groups;
use super::cost::{self, Priced};
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
    /// The actor joins; what they see begins with the entry of it.
    ///
    /// # Errors
    /// `group_not_found`, `already_member`, `group_full`, `too_many_groups`, `rate_limited`; `forbidden` for those who were
    /// removed from it, until they are invited again.
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
    /// `group_not_found`, `not_member`, `user_not_found`, `already_member`, `group_full`, `rate_limited`; `too_many_groups`
    /// for those who are in too many; `forbidden` where the user does not want it.
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
        let conversation = ConversationKey::Group(group).to_string();
        let size = self.im.store.group_size(&conversation).await?;
        let members = size.map_or(0, |(_, members)| members);
        let priced = match &change {
            Change::Join | Change::Leave => Priced::Own,
            Change::Invite(found) => Priced::Invitation(found.as_ref().map(|(id, _)| *id)),
            Change::Kick(_) => Priced::Kick,
        };
        cost::pay(self.im, actor.user_id, priced, members).await?;
        let once = || self.change_once(actor, group, (&change, size));
        Ok(self.im.store.retried(once).await?)
    }

    async fn change_once(
        &self,
        actor: &Actor,
        group: GroupId,
        (change, size): (&Change, Option<(i64, i64)>),
    ) -> Result<MembershipChange, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group, size).await?;
        let own = (actor.user_id, actor.username.as_str());
        let who = match change {
            Change::Join => {
                locked.may_join(actor).await?;
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
        locked.finish(actor, who).await
    }
}

/// Locks the user, so that groups that they join at once are counted one after the other.
pub(super) async fn room_for_a_group(im: &Inner, tx: &mut Tx, user: UserId) -> Result<(), Failed> {
    let most = i64::from(im.config.groups_per_user);
    tx.lock_user(user).await?;
    if tx.count_memberships(user, most).await? >= most {
        return Err(ErrorCode::TooManyGroups.into());
    }
    Ok(())
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
    /// Members as counted before the lock, and the version they were counted at.
    size: Option<(i64, i64)>,
    written: Option<Entry>,
    /// Who went with the entry that was written, and sees it as their last.
    gone: Option<UserId>,
}

impl<'a> Locked<'a> {
    async fn new(
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

    /// Who was removed by others does not come back uninvited.
    async fn may_join(&mut self, actor: &Actor) -> Result<(), Failed> {
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
    async fn may_invite(&mut self, actor: &Actor, who: (UserId, &str)) -> Result<(), Failed> {
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

    async fn remove(
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
        if let Some(entry) = &self.written {
            log::push_to_members(self.im, entry, self.gone).await;
        }
        Ok(change)
    }
}
