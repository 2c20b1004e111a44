//! What users change of their own accounts.

use std::net::IpAddr;

use lingxi_domain::{ErrorCode, limits, names, picture};
use lingxi_store::{ProfileChange, User};

use super::{Accounts, Login, Profile};
use crate::passwords::{Attempt, Kind, Origin};
use crate::tokens::Audience;
use crate::{Error, Identity, Result};

impl Accounts<'_> {
    /// Changes what the caller's account shows; answers it as it is then. An empty nickname is the username.
    ///
    /// # Errors
    /// `invalid_request` naming the field, `unauthorized` when the account is gone.
    pub async fn change_profile(
        &self,
        identity: &Identity,
        change: &ProfileChange,
    ) -> Result<Profile> {
        let ProfileChange {
            nickname,
            avatar,
            signature,
        } = change;
        let nickname = nickname.as_deref().map(|name| match name {
            "" => Ok(identity.username.clone()),
            name => names::display_name("nickname", name),
        });
        let signature = signature
            .as_deref()
            .map(|line| names::line("signature", line, limits::MAX_SIGNATURE_CHARS));
        let change = ProfileChange {
            nickname: nickname.transpose()?,
            avatar: avatar.as_deref().map(picture::avatar).transpose()?,
            signature: signature.transpose()?,
        };
        let changed = self.im.store.change_profile(identity.user_id, &change);
        let changed = changed.await?.ok_or(ErrorCode::Unauthorized)?;
        Ok(changed.into())
    }

    /// Changes the caller's password, which ends every token on every node and closes the sockets; answers a new session in
    /// place of the caller's. Wrong old passwords make the next try wait, as at a login.
    ///
    /// # Errors
    /// `invalid_request` naming the field, `invalid_credentials` for a wrong old password, `rate_limited`; `unauthorized`
    /// when the account is gone, or somebody else has just changed the password.
    pub async fn change_password(
        &self,
        identity: &Identity,
        (old, new): (&str, &str),
        client: Option<IpAddr>,
    ) -> Result<Login> {
        let new = names::password("new_password", new)?;
        let key = names::username_key(&identity.username);
        let found = self.im.store.user_by_key(&key).await?;
        let (user, hash) = found
            .filter(|(user, _)| !user.banned && !user.deleted)
            .ok_or(ErrorCode::Unauthorized)?;
        let origin = Origin::of(self.im, Some(user.id), client).await?;
        let attempt = Attempt::reserve(self.im, &key, client, origin.is_known()).await?;
        let whose = (Kind::Known, client);
        let verified = self.im.passwords.verify(old, Some(hash.clone()), whose);
        match verified.await {
            Ok(true) => attempt.succeeded(self.im).await,
            Ok(false) => {
                return Err(Error::new(
                    ErrorCode::InvalidCredentials,
                    "old_password: this is not the present password.",
                ));
            }
            Err(refused) => {
                attempt.not_made(self.im).await;
                return Err(refused);
            }
        }
        let new = self.im.passwords.hash(&new, client).await?;
        let changed = self.im.store.change_password(user.id, &hash, &new).await?;
        let token_version = changed.ok_or(ErrorCode::Unauthorized)?;
        origin.remember(self.im, user.id).await;
        self.token_version_changed(user.id, token_version).await;
        let user = User {
            token_version,
            ..user
        };
        let (token, expires_at) = self.im.tokens.issue(&user, Audience::Users)?;
        Ok(Login {
            token,
            expires_at,
            user: user.into(),
        })
    }
}
