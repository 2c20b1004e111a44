//! Who is who.

use std::collections::HashMap;

use lingxi_domain::{ErrorCode, UserId, limits, names};

use super::{Accounts, Profile};
use crate::{Identity, Listed, Result};

impl Accounts<'_> {
    /// What an account shows of itself; `None` when it is not there or was deleted.
    pub async fn profile(&self, user: UserId) -> Result<Option<Profile>> {
        let found = self.im.store.user(user).await?;
        Ok(found.filter(|user| !user.deleted).map(Profile::from))
    }

    /// The caller's own account.
    ///
    /// # Errors
    /// `unauthorized` when it is gone.
    pub async fn me(&self, identity: &Identity) -> Result<Profile> {
        let found = self.profile(identity.user_id).await?;
        found.ok_or_else(|| ErrorCode::Unauthorized.into())
    }

    /// What others see of the account of that name in any case.
    ///
    /// # Errors
    /// `user_not_found`.
    pub async fn info(&self, username: &str) -> Result<Profile> {
        let found = match self.resolve(username).await? {
            Some((id, _)) => self.profile(id).await?,
            None => None,
        };
        found.ok_or_else(|| ErrorCode::UserNotFound.into())
    }

    /// The first page of [`Self::search_page`].
    ///
    /// # Errors
    /// As [`Self::search_page`].
    pub async fn search(&self, caller: UserId, keyword: &str, limit: i64) -> Result<Vec<Profile>> {
        Ok(self.search_page(caller, keyword, None, limit).await?.items)
    }

    /// Accounts whose username or nickname contains `keyword` in any case and width, the caller's own left out: those with
    /// a word that begins with it first; at most `limit`, no more than [`limits::MAX_PAGE`]. `after` is the last account of
    /// the page before.
    ///
    /// # Errors
    /// `invalid_request` for an empty or over-long keyword.
    pub async fn search_page(
        &self,
        caller: UserId,
        keyword: &str,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Listed<Profile>> {
        let keyword = names::keyword(keyword)?;
        let store = &self.im.store;
        let found = store
            .search_users(&keyword, caller, after, page_size(limit))
            .await?;
        Ok(Listed {
            items: found.rows.into_iter().map(Profile::from).collect(),
            has_more: found.has_more,
        })
    }

    /// The account of that name in any case, with its name as it was registered. Remembered in this process, so that it
    /// costs nothing where it is asked for every message.
    pub async fn resolve(&self, username: &str) -> Result<Option<(UserId, String)>> {
        self.im.names.resolve(username).await
    }

    /// The names of those of these accounts that exist or once did: one query for those that are not remembered.
    pub async fn usernames(&self, ids: &[UserId]) -> Result<HashMap<UserId, String>> {
        self.im.names.of(ids).await
    }
}

/// How many a page may have of those that were asked for.
pub(crate) fn page_size(limit: i64) -> usize {
    usize::try_from(limit.clamp(1, limits::MAX_PAGE)).unwrap_or(1)
}
