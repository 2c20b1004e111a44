//! A group under the lock of its conversation: what may be changed, the entry of the change, and who is told.

use lingxi_domain::frame::server::Changes;
use lingxi_domain::role::GroupRole;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, Seq, UserId, now_ms};
use lingxi_store::{ConversationHead, Entry, EntryKind, GroupSettings, Member, Tx};
use serde::{Deserialize, Serialize};

use super::room::room_for_a_group;
use crate::error::Failed;
use crate::log::{self, Event};
use crate::{Actor, Inner, Result};

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

/// Somebody who was named, with their name; `None` where there is no such account.
pub(super) type Named = Option<(UserId, String)>;

/// The version of a conversation and how many members it had then; `None` where there is no such conversation.
pub(super) type Size = Option<(i64, i64)>;

pub(super) fn existing(found: &Named) -> Result<(UserId, &str)> {
    let (id, username) = found.as_ref().ok_or(ErrorCode::UserNotFound)?;
    Ok((*id, username))
}

/// A group whose conversation is locked by this transaction.
pub(super) struct Locked<'a> {
    im: &'a Inner,
    pub(super) tx: Tx,
    pub(super) group: GroupId,
    head: ConversationHead,
    pub(super) settings: GroupSettings,
    /// Members as counted before the lock, and the version they were counted at.
    size: Size,
    written: Option<Entry>,
    /// Who went with the entry that was written, and sees it as their last.
    gone: Vec<UserId>,
}

impl<'a> Locked<'a> {
    pub(super) async fn new(
        im: &'a Inner,
        mut tx: Tx,
        group: GroupId,
        size: Size,
    ) -> Result<Self, Failed> {
        let conversation = ConversationKey::Group(group).to_string();
        let head = tx
            .lock_conversation(&conversation)
            .await?
            .ok_or(ErrorCode::GroupNotFound)?;
        let settings = tx
            .group_settings(group)
            .await?
            .ok_or(ErrorCode::GroupNotFound)?;
        Ok(Self {
            im,
            tx,
            group,
            head,
            settings,
            size,
            written: None,
            gone: Vec::new(),
        })
    }

    /// The user's membership, present or past.
    pub(super) async fn membership_of(&mut self, user: UserId) -> Result<Option<Member>, Failed> {
        Ok(self.tx.member(&self.head.conversation, user).await?)
    }

    /// The user's membership, if it holds now.
    pub(super) async fn active(&mut self, user: UserId) -> Result<Option<Member>, Failed> {
        Ok(self.membership_of(user).await?.filter(Member::is_active))
    }

    pub(super) async fn own_membership(&mut self, actor: &Actor) -> Result<Member, Failed> {
        let me = self.active(actor.user_id).await?;
        Ok(me.ok_or(ErrorCode::NotMember)?)
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
        if self.members().await? >= self.settings.max_count {
            return Err(ErrorCode::GroupFull.into());
        }
        room_for_a_group(self.im, &mut self.tx, who.0).await?;
        self.membership(actor, kind, who).await?;
        let row = [(who.0, GroupRole::Member)];
        let seq = self.head.last_seq;
        self.tx
            .add_members(&self.head.conversation, &row, seq, now_ms())
            .await?;
        self.tx.delete_join_request(self.group, who.0).await?;
        Ok(())
    }

    pub(super) async fn remove(
        &mut self,
        actor: &Actor,
        kind: EntryKind,
        who: (UserId, &str),
    ) -> Result<(), Failed> {
        self.membership(actor, kind, who).await?;
        let seq = self.head.last_seq;
        self.tx
            .end_membership(&self.head.conversation, who.0, seq)
            .await?;
        self.gone.push(who.0);
        Ok(())
    }

    /// How many members there are. Others wait for the lock: they are counted under it only where they changed since.
    pub(super) async fn members(&mut self) -> Result<i64, Failed> {
        match self.size {
            Some((version, members)) if version == self.head.version => Ok(members),
            _ => Ok(self
                .tx
                .count_present_members(&self.head.conversation)
                .await?),
        }
    }

    /// Writes that a member's role or mute is another one now.
    pub(super) async fn member_updated(
        &mut self,
        actor: &Actor,
        (target, name): (UserId, &str),
        changes: &Changes,
    ) -> Result<(), Failed> {
        let event = Event {
            kind: EntryKind::MemberUpdated,
            target: Some(target),
            target_seq: None,
            target_name: Some(name),
            detail: Some(&log::detail(changes)?),
        };
        self.write(actor, event).await
    }

    /// Writes that what the group says of itself is something else now.
    pub(super) async fn group_updated(
        &mut self,
        actor: &Actor,
        changes: &Changes,
    ) -> Result<(), Failed> {
        let event = Event {
            kind: EntryKind::GroupUpdated,
            target: None,
            target_seq: None,
            target_name: None,
            detail: Some(&log::detail(changes)?),
        };
        self.write(actor, event).await
    }

    /// Ends the group, and with it every membership.
    pub(super) async fn dismiss(&mut self, actor: &Actor) -> Result<(), Failed> {
        let members = self.tx.active_members(&[&self.head.conversation]).await?;
        let event = Event {
            kind: EntryKind::Dismissed,
            target: None,
            target_seq: None,
            target_name: None,
            detail: None,
        };
        self.write(actor, event).await?;
        let last = self.head.last_seq;
        self.tx
            .end_memberships(&self.head.conversation, last)
            .await?;
        self.tx
            .dismiss_group(self.group, &self.settings.name, now_ms())
            .await?;
        self.gone = members.iter().map(|member| member.user_id).collect();
        Ok(())
    }

    async fn write(&mut self, actor: &Actor, event: Event<'_>) -> Result<(), Failed> {
        // What a group says of itself is no matter of who is in it.
        let of_members = event.kind != EntryKind::GroupUpdated;
        let key = ConversationKey::Group(self.group);
        let partitions = self.im.config.partitions;
        let entry = log::append(&mut self.tx, &mut self.head, key, partitions, actor, event);
        self.written = Some(entry.await?);
        self.head.version += i64::from(of_members);
        Ok(())
    }

    async fn membership(
        &mut self,
        actor: &Actor,
        kind: EntryKind,
        (target, name): (UserId, &str),
    ) -> Result<(), Failed> {
        let event = Event {
            kind,
            target: Some(target),
            target_seq: None,
            target_name: Some(name),
            detail: None,
        };
        self.write(actor, event).await
    }

    /// The change that was written, of this user's membership.
    pub(super) fn change(&self, (_, name): (UserId, &str)) -> MembershipChange {
        MembershipChange {
            group_id: self.group,
            conversation: self.head.conversation.clone(),
            seq: self.head.last_seq,
            username: name.to_owned(),
        }
    }

    /// Commits, then pushes what was written.
    pub(super) async fn finish<T: Serialize>(
        mut self,
        actor: &Actor,
        outcome: T,
    ) -> Result<T, Failed> {
        if self.written.is_some() {
            self.tx.put_heads(std::slice::from_ref(&self.head)).await?;
        }
        actor.commit(self.tx, &outcome).await?;
        if let Some(entry) = &self.written {
            log::push_to_members(self.im, entry, &self.gone).await;
        }
        Ok(outcome)
    }
}
