//! Coming in by oneself: at once, by a link, or when somebody lets one in.

use lingxi_domain::{ConversationKey, ErrorCode, GroupId, Seq, UserId, limits, now_ms};
use lingxi_store::{EntryKind, InviteLink};
use serde::{Deserialize, Serialize};

use super::Groups;
use super::cost::{self, Priced};
use super::locked::{Locked, Named, Size, existing};
use super::permissions::Admission;
use crate::actor::begin;
use crate::error::Failed;
use crate::{Actor, Error, Listed, ListedUser, Page, Result};

/// What became of somebody's wish to be in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joining {
    /// The group.
    pub group_id: GroupId,
    /// Its conversation's key.
    pub conversation: String,
    /// The place of the entry of their joining; `None` while they wait to be let in.
    pub seq: Option<Seq>,
}

impl Groups<'_> {
    /// The actor joins, or asks to be let in where the group wants that; what they see begins with the entry of their
    /// joining.
    ///
    /// # Errors
    /// `group_not_found`, `already_member`, `group_full`, `too_many_groups`, `too_many_requests`, `rate_limited`;
    /// `forbidden` where one joins by invitation, and for those who were removed, until they are invited again.
    pub async fn join(&self, actor: &Actor, group: GroupId) -> Result<Joining> {
        self.come_in(actor, group, None).await
    }

    /// The actor joins the group that a link leads to.
    ///
    /// # Errors
    /// `invite_link_not_found` where it does not work or no longer, also since who made it may not invite any more; as
    /// [`Self::join`].
    pub async fn join_by_link(&self, actor: &Actor, code: &str) -> Result<Joining> {
        let link = self.im.store.invite_link(code).await?;
        let link = link.ok_or(ErrorCode::InviteLinkNotFound)?;
        self.come_in(actor, link.group_id, Some(&link)).await
    }

    async fn come_in(
        &self,
        actor: &Actor,
        group: GroupId,
        link: Option<&InviteLink>,
    ) -> Result<Joining> {
        let size = self.paid(actor, group, Priced::Own).await?;
        let once = || self.join_once(actor, group, (link, size));
        Ok(self.im.store.retried(once).await?)
    }

    async fn join_once(
        &self,
        actor: &Actor,
        group: GroupId,
        (link, size): (Option<&InviteLink>, Size),
    ) -> Result<Joining, Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group, size).await?;
        locked.may_join(actor).await?;
        let own = (actor.user_id, actor.username.as_str());
        let seq = match locked.admission(link).await? {
            Admission::In => {
                locked.add(actor, EntryKind::Joined, own).await?;
                Some(locked.change(own).seq)
            }
            Admission::Waits => {
                let (tx, user) = (&mut locked.tx, actor.user_id);
                if !tx.has_join_request(group, user).await? {
                    let most = limits::MAX_JOIN_REQUESTS;
                    if tx.count_join_requests(group, most).await? >= most {
                        return Err(ErrorCode::TooManyRequests.into());
                    }
                    tx.put_join_request(group, user, now_ms()).await?;
                }
                None
            }
        };
        let joining = Joining {
            group_id: group,
            conversation: ConversationKey::Group(group).to_string(),
            seq,
        };
        locked.finish(actor, joining).await
    }

    /// Who waits to be let in, longest first, for the owner and administrators; a page goes on behind the username of its
    /// last one.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`, `forbidden`; `invalid_request` where `after` is nobody.
    pub async fn requests_page(
        &self,
        user: UserId,
        group: GroupId,
        page: &Page<String>,
    ) -> Result<Listed<ListedUser>> {
        let store = &self.im.store;
        if !store.existing_groups(&[group]).await?.contains(&group) {
            return Err(ErrorCode::GroupNotFound.into());
        }
        let key = ConversationKey::Group(group).to_string();
        let me = store.member(&key, user).await?;
        let me = me.filter(|me| me.is_active()).ok_or(ErrorCode::NotMember)?;
        if !me.role.may_manage() {
            return Err(ErrorCode::Forbidden.into());
        }
        let after = self.behind(page).await?;
        let rows = page.rows();
        let found = store.join_requests_page(group, after, rows + 1).await?;
        let found = found.ok_or_else(|| {
            Error::invalid("after: that user waits no more; begin the list again.")
        })?;
        Ok(Listed::fitting(
            found.into_iter().map(ListedUser::from),
            rows,
        ))
    }

    /// The actor, who is the owner or an administrator, lets somebody in who waits, or not.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`, `forbidden`, `user_not_found`, `request_not_found`; where they are let in also
    /// `group_full`, `too_many_groups`, `rate_limited`.
    pub async fn answer_request(
        &self,
        actor: &Actor,
        (group, username): (GroupId, &str),
        approve: bool,
    ) -> Result<()> {
        let found = self.im.names.resolve(username).await?;
        // Of who is turned away nobody is told.
        let size = if approve {
            self.paid(actor, group, Priced::Own).await?
        } else {
            None
        };
        let once = || self.answer_once(actor, group, (&found, approve, size));
        Ok(self.im.store.retried(once).await?)
    }

    async fn answer_once(
        &self,
        actor: &Actor,
        group: GroupId,
        (found, approve, size): (&Named, bool, Size),
    ) -> Result<(), Failed> {
        let mut locked = Locked::new(self.im, begin!(actor, &self.im.store), group, size).await?;
        locked.may_manage(actor).await?;
        let who = existing(found)?;
        if !locked.tx.delete_join_request(group, who.0).await? {
            return Err(ErrorCode::RequestNotFound.into());
        }
        if approve {
            locked.add(actor, EntryKind::Joined, who).await?;
        }
        locked.finish(actor, ()).await
    }

    /// Pays for a change of a group; answers its version and how many members it has, as far as it is there.
    pub(super) async fn paid(&self, actor: &Actor, group: GroupId, priced: Priced) -> Result<Size> {
        let conversation = ConversationKey::Group(group).to_string();
        let size = self.im.store.group_size(&conversation).await?;
        let members = size.map_or(0, |(_, members)| members);
        cost::pay(self.im, actor.user_id, priced, members).await?;
        Ok(size)
    }

    /// The user behind whom a page of people goes on.
    pub(super) async fn behind(&self, page: &Page<String>) -> Result<Option<UserId>> {
        let Some(name) = &page.after else {
            return Ok(None);
        };
        let found = self.im.names.resolve(name).await?;
        let nobody =
            || Error::invalid("after: give the username of the last one of the page before.");
        Ok(Some(found.ok_or_else(nobody)?.0))
    }
}
