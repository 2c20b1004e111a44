//! Groups: made, found, shown. Who comes and goes is in [`joining`] and [`membership`], what is changed in [`management`].

mod cost;
mod joining;
mod links;
mod locked;
mod management;
mod membership;
mod pages;
mod permissions;
mod room;

use lingxi_domain::policies::{InvitePolicy, JoinPolicy};
use lingxi_domain::role::GroupRole;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, UserId, limits, names, now_ms, validate};
use lingxi_store::{ConversationHead, EntryKind};
use serde::{Deserialize, Serialize};

pub(crate) use cost::pay_about_message;
pub use joining::Joining;
pub use links::NewLink;
pub use locked::MembershipChange;
pub use management::GroupUpdate;

use crate::accounts::page_size;
use crate::actor::begin;
use crate::error::Failed;
use crate::frames::{Beside, framed};
use crate::log::{self, Event};
use crate::{Actor, Inner, Limits, Listed, Payer, Result, Spending};

/// Requests that a new group counts for, beside the one that asks for it.
const CREATION: u32 = 10;

/// Groups. Made by [`crate::Im::groups`].
#[derive(Clone, Copy)]
pub struct Groups<'a> {
    pub(crate) im: &'a Inner,
}

/// A group to be made.
#[derive(Clone, Debug)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// How many members it may have; [`limits::DEFAULT_GROUP_MEMBERS`] when nothing is said.
    pub max_count: Option<i64>,
    /// What its members should know.
    pub announcement: Option<String>,
}

/// A group that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedGroup {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// How many members it may have.
    pub max_count: i64,
    /// Its conversation's key.
    pub conversation: String,
}

/// A group with what its page shows to one user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// The owner's username.
    pub owner: String,
    /// What its members should know; may be empty.
    pub announcement: String,
    /// How many members it may have.
    pub max_count: i64,
    /// How many it has.
    pub member_count: i64,
    /// The asking user's role in it: `owner`, `admin` or `member`; `None` for those who are not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How one joins.
    pub join_policy: JoinPolicy,
    /// Who invites.
    pub invite_policy: InvitePolicy,
    /// Its conversation's key.
    pub conversation: String,
    /// When it was made, milliseconds since the Unix epoch.
    pub created_at: i64,
}

impl From<lingxi_store::Group> for Group {
    fn from(group: lingxi_store::Group) -> Self {
        Self {
            id: group.id,
            name: group.name,
            owner: group.owner,
            announcement: group.announcement,
            max_count: group.max_count,
            member_count: group.member_count,
            role: group.role.map(|role| role.as_str().to_owned()),
            join_policy: group.join_policy,
            invite_policy: group.invite_policy,
            conversation: ConversationKey::Group(group.id).to_string(),
            created_at: group.created_at,
        }
    }
}

/// A member of a group with what its page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupMember {
    /// Who.
    pub id: UserId,
    /// The account's name.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// The picture's address; may be empty.
    pub avatar: String,
    /// `owner`, `admin` or `member`.
    pub role: &'static str,
    /// When the member joined, milliseconds since the Unix epoch.
    pub joined_at: i64,
    /// Until when the member is muted, milliseconds since the Unix epoch; `None` for those who are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<i64>,
}

impl From<lingxi_store::GroupMember> for GroupMember {
    fn from(member: lingxi_store::GroupMember) -> Self {
        Self {
            id: member.user_id,
            username: member.username,
            nickname: member.nickname,
            avatar: member.avatar,
            role: member.role.as_str(),
            joined_at: member.joined_at,
            muted_until: Some(member.muted_until).filter(|&until| until > now_ms()),
        }
    }
}

impl Groups<'_> {
    /// Makes a group with the actor as its owner; its log begins with the owner's joining.
    ///
    /// # Errors
    /// `invalid_request` naming the field, `too_many_groups`, `rate_limited`.
    pub async fn create(&self, actor: &Actor, new: &NewGroup) -> Result<CreatedGroup> {
        let max_count = new.max_count.unwrap_or(limits::DEFAULT_GROUP_MEMBERS);
        let announcement = new.announcement.as_deref().unwrap_or_default();
        let name = names::display_name("name", &new.name)?;
        validate::max_count(max_count)?;
        let announcement = names::text("announcement", announcement, limits::MAX_REMARK_CHARS)?;
        let row = lingxi_store::NewGroup {
            name: &name,
            owner_id: actor.user_id,
            announcement: &announcement,
            max_count,
            created_at: now_ms(),
        };
        let limits = Limits { im: self.im };
        let payer = Payer::User(actor.user_id);
        limits.spend(payer, Spending::Request, CREATION).await?;
        let once = || self.create_once(actor, &row);
        Ok(self.im.store.retried(once).await?)
    }

    async fn create_once(
        &self,
        actor: &Actor,
        row: &lingxi_store::NewGroup<'_>,
    ) -> Result<CreatedGroup, Failed> {
        let mut tx = begin!(actor, &self.im.store);
        let now = row.created_at;
        room::room_for_a_group(self.im, &mut tx, actor.user_id).await?;
        let id = tx.create_group(row).await?;
        let key = ConversationKey::Group(id);
        let mut head = ConversationHead::new(key.to_string(), now);
        let event = Event {
            kind: EntryKind::Joined,
            target: Some(actor.user_id),
            target_seq: None,
            target_name: Some(&actor.username),
            detail: None,
        };
        let entry = log::append(
            &mut tx,
            &mut head,
            key,
            self.im.config.partitions,
            actor,
            event,
        )
        .await?;
        let owner = [(actor.user_id, GroupRole::Owner)];
        tx.add_members(&head.conversation, &owner, entry.seq, now)
            .await?;
        tx.put_heads(std::slice::from_ref(&head)).await?;
        let created = CreatedGroup {
            id,
            name: row.name.to_owned(),
            max_count: row.max_count,
            conversation: head.conversation,
        };
        actor.commit(tx, &created).await?;
        let frame = framed(&entry, &Beside::default());
        log::push(self.im, frame, &[actor.user_id]).await;
        Ok(created)
    }

    /// The groups that a user is in.
    pub async fn mine(&self, user: UserId) -> Result<Vec<Group>> {
        let found = self.im.store.groups_of(user).await?;
        Ok(found.into_iter().map(Group::from).collect())
    }

    /// The first page of [`Self::search_page`].
    ///
    /// # Errors
    /// As [`Self::search_page`].
    pub async fn search(&self, user: UserId, keyword: &str, limit: i64) -> Result<Vec<Group>> {
        Ok(self.search_page(user, keyword, None, limit).await?.items)
    }

    /// Groups whose id is `keyword`, then those whose name contains it in any case and width; at most `limit`, no more than
    /// [`limits::MAX_PAGE`]. `after` is the last group of the page before.
    ///
    /// # Errors
    /// `invalid_request` for an empty or over-long keyword.
    pub async fn search_page(
        &self,
        user: UserId,
        keyword: &str,
        after: Option<GroupId>,
        limit: i64,
    ) -> Result<Listed<Group>> {
        let keyword = names::keyword(keyword)?;
        let digits = keyword.bytes().all(|b| b.is_ascii_digit());
        let id = keyword.parse().ok().filter(|_| digits);
        let store = &self.im.store;
        let found = store
            .search_groups(&keyword, id, user, after, page_size(limit))
            .await?;
        Ok(Listed {
            items: found.rows.into_iter().map(Group::from).collect(),
            has_more: found.has_more,
        })
    }

    /// A group as this user sees it; anybody may look.
    ///
    /// # Errors
    /// `group_not_found`.
    pub async fn info(&self, user: UserId, group: GroupId) -> Result<Group> {
        let found = self.im.store.group(group, user).await?;
        found
            .map(Group::from)
            .ok_or_else(|| ErrorCode::GroupNotFound.into())
    }

    /// A group's members, the owner first, then by when they joined.
    ///
    /// # Errors
    /// `group_not_found`; `not_member` for those who are not in it.
    pub async fn members(&self, user: UserId, group: GroupId) -> Result<Vec<GroupMember>> {
        if self.info(user, group).await?.role.is_none() {
            return Err(ErrorCode::NotMember.into());
        }
        let key = ConversationKey::Group(group).to_string();
        let members = self.im.store.group_members(&key).await?;
        Ok(members.into_iter().map(GroupMember::from).collect())
    }
}
