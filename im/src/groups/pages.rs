//! Lists of groups and of members, in pages.

use lingxi_domain::{ConversationKey, ErrorCode, GroupId, UserId};

use super::{Group, GroupMember, Groups};
use crate::{Listed, Page, Result};

impl Groups<'_> {
    /// The groups that a user is in, lowest id first; a page goes on behind the id of its last one.
    pub async fn mine_page(&self, user: UserId, page: &Page<GroupId>) -> Result<Listed<Group>> {
        let (after, rows) = (page.after.unwrap_or_default(), page.rows());
        let found = self.im.store.groups_page(user, after, rows + 1).await?;
        Ok(Listed::fitting(found.into_iter().map(Group::from), rows))
    }

    /// A group's members, the owner first, then by when they joined; a page goes on behind the username of its last one,
    /// also where that one has left meanwhile.
    ///
    /// # Errors
    /// `group_not_found`; `not_member` for those who are not in it; `invalid_request` where `after` is nobody.
    pub async fn members_page(
        &self,
        user: UserId,
        group: GroupId,
        page: &Page<String>,
    ) -> Result<Listed<GroupMember>> {
        if self.info(user, group).await?.role.is_none() {
            return Err(ErrorCode::NotMember.into());
        }
        let after = self.behind(page).await?;
        let key = ConversationKey::Group(group).to_string();
        let rows = page.rows();
        let found = self.im.store.members_page(&key, after, rows + 1).await?;
        Ok(Listed::fitting(
            found.into_iter().map(GroupMember::from),
            rows,
        ))
    }
}
