//! Links to a file, for what cannot send a token: pictures of a page, a player, a download.

use lingxi_domain::{ErrorCode, FileId, UserId, now_ms};

use super::Files;
use crate::{Error, Result};

/// What opens a file for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLink {
    /// What its query says.
    pub sig: String,
    /// Whether the file has a thumbnail, which it opens too.
    pub has_thumbnail: bool,
    /// When it ends, milliseconds since the Unix epoch.
    pub expires_at: i64,
}

impl Files<'_> {
    /// Makes a link to a file that this user may read. It works as long as they may, at most until it ends.
    ///
    /// # Errors
    /// `file_not_found`.
    pub async fn link(&self, user: UserId, id: FileId) -> Result<FileLink> {
        let file = self.visible(user, id).await?;
        let life = i64::try_from(self.im.config.files.link.as_millis()).unwrap_or(i64::MAX);
        let expires_at = now_ms().saturating_add(life);
        let signature = self.im.tokens.keyed_hash(&signed(user, id, expires_at));
        let signature = signature.ok_or(ErrorCode::Internal)?;
        Ok(FileLink {
            sig: format!("{user}.{expires_at}.{signature}"),
            has_thumbnail: file.thumbnail.is_some(),
            expires_at,
        })
    }

    /// Who made a link to this file that works.
    pub(super) fn maker_of(&self, link: &str, id: FileId) -> Result<UserId> {
        let refused = || {
            let message = "This link has ended, or is for something else; ask for a new one.";
            Error::new(ErrorCode::Unauthorized, message)
        };
        let (user, rest) = link.split_once('.').ok_or_else(refused)?;
        let (expires_at, signature) = rest.split_once('.').ok_or_else(refused)?;
        let user: UserId = user.parse().map_err(|_| refused())?;
        let expires_at: i64 = expires_at.parse().map_err(|_| refused())?;
        let signed = signed(user, id, expires_at);
        if !self.im.tokens.is_keyed_hash(signature, &signed) || expires_at <= now_ms() {
            return Err(refused());
        }
        Ok(user)
    }
}

/// No token has spaces in what is signed of it, so that neither can pass for the other.
fn signed(user: UserId, id: FileId, expires_at: i64) -> String {
    format!("file {id} for {user} until {expires_at}")
}
