//! What users have chosen.

use lingxi_domain::UserId;
use lingxi_domain::invitations::WhoMayInvite;

use crate::{Inner, Result};

/// Settings of users. Made by [`crate::Im::settings`].
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    pub(crate) im: &'a Inner,
}

impl Settings<'_> {
    /// Who may take this user into groups.
    pub async fn who_may_invite(&self, user: UserId) -> Result<WhoMayInvite> {
        Ok(self.im.store.who_may_invite(user).await?)
    }

    /// Chooses who may take this user into groups; holds for every invitation that is committed later.
    pub async fn set_who_may_invite(&self, user: UserId, who: WhoMayInvite) -> Result<()> {
        Ok(self.im.store.set_who_may_invite(user, who).await?)
    }
}
