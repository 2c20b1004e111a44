//! Registering, logging in and out, and who is who.

use std::collections::HashMap;
use std::net::IpAddr;

use lingxi_bus::Subject;
use lingxi_domain::role::AccountRole;
use lingxi_domain::{ErrorCode, UserId, limits, now_ms, validate};
use lingxi_proto::bus::{Push, control};
use lingxi_store::{NewUser, User};
use serde::{Deserialize, Serialize};

use crate::passwords::{Attempt, Kind, Origin};
use crate::{Error, Identity, Inner, Limits, Payer, Result, Spending};

/// Accounts. Made by [`crate::Im::accounts`].
#[derive(Clone, Copy)]
pub struct Accounts<'a> {
    pub(crate) im: &'a Inner,
}

/// A person who wants an account.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The name to be known by.
    pub username: String,
    /// The password.
    pub password: String,
    /// The name to show; the username when there is none.
    pub nickname: Option<String>,
}

/// A successful login.
#[derive(Clone, Debug)]
pub struct Login {
    /// The bearer token.
    pub token: String,
    /// When it ends, milliseconds since the Unix epoch.
    pub expires_at: i64,
    /// Whose it is.
    pub user: Profile,
}

/// What an account shows of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its id.
    pub id: UserId,
    /// Its name.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// The picture's address; may be empty.
    pub avatar: String,
    /// A line about oneself; may be empty.
    pub signature: String,
    /// `user`, `admin` or `bot`.
    pub role: String,
    /// When it was made, milliseconds since the Unix epoch.
    pub created_at: i64,
}

impl From<User> for Profile {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            nickname: user.nickname,
            avatar: user.avatar,
            signature: user.signature,
            role: user.role.as_str().to_owned(),
            created_at: user.created_at,
        }
    }
}

impl Accounts<'_> {
    /// Makes an account; answers its id. `client` is the caller's address, for the limit on registrations.
    ///
    /// # Errors
    /// `invalid_request` naming the field, `username_taken`, `rate_limited`.
    pub async fn register(&self, new: &Registration, client: Option<IpAddr>) -> Result<UserId> {
        validate::username(&new.username)?;
        validate::password(&new.password)?;
        let nickname = new
            .nickname
            .as_deref()
            .filter(|n| !n.is_empty())
            .unwrap_or(&new.username);
        validate::display_name("nickname", nickname)?;
        self.limit(Spending::Registration, client).await?;
        let username_key = validate::username_key(&new.username);
        if self.im.store.user_by_key(&username_key).await?.is_some() {
            return Err(ErrorCode::UsernameTaken.into());
        }
        let password_hash = self.im.passwords.hash(&new.password, client).await?;
        let user = NewUser {
            username: &new.username,
            username_key: &username_key,
            password_hash: &password_hash,
            nickname,
            role: AccountRole::User,
            created_at: now_ms(),
        };
        let id = self
            .im
            .store
            .create_user(&user)
            .await
            .map_err(|error| match error {
                lingxi_store::Error::Constraint("users_username_key") => {
                    ErrorCode::UsernameTaken.into()
                }
                other => Error::from(other),
            })?;
        self.im.names.registered(&username_key);
        if let Ok(origin) = Origin::of(self.im, Some(id), client).await {
            origin.remember(self.im, id).await;
        }
        Ok(id)
    }

    /// Checks a password and makes a token. `client` is the caller's address, for the limits on logins. Unknown, banned
    /// and deleted accounts answer like a wrong password, after the same time. Wrong passwords make the next try wait,
    /// longer each time, for that name from that network; a network that the user has logged in from before is not
    /// touched by what is tried elsewhere.
    ///
    /// # Errors
    /// `invalid_credentials`, `rate_limited`.
    pub async fn login(
        &self,
        username: &str,
        password: &str,
        client: Option<IpAddr>,
    ) -> Result<Login> {
        self.limit(Spending::Login, client).await?;
        let plausible = username.chars().nth(limits::MAX_USERNAME_CHARS).is_none();
        let key = validate::username_key(if plausible { username } else { "" });
        let found = self.im.store.user_by_key(&key).await?;
        let found = found.filter(|(user, _)| !user.banned && !user.deleted);
        let (user, hash) = found.unzip();
        let origin = Origin::of(self.im, user.as_ref().map(|user| user.id), client).await?;
        let attempt = Attempt::reserve(self.im, &key, client, origin.is_known()).await?;
        let kind = if origin.is_known() {
            Kind::Known
        } else {
            Kind::Login
        };
        let verified = self.im.passwords.verify(password, hash, (kind, client));
        let right = match verified.await {
            Ok(right) => right,
            Err(refused) => {
                attempt.not_made(self.im).await;
                return Err(refused);
            }
        };
        match user {
            Some(user) if right => {
                attempt.succeeded(self.im).await;
                origin.remember(self.im, user.id).await;
                let (token, expires_at) = self.im.tokens.issue(&user)?;
                Ok(Login {
                    token,
                    expires_at,
                    user: user.into(),
                })
            }
            _ => Err(ErrorCode::InvalidCredentials.into()),
        }
    }

    /// Whose token this is. A token whose version was raised anywhere stops working here within 400 ms.
    ///
    /// # Errors
    /// `unauthorized` for a token that is bad, expired, superseded, or of an account that is banned or deleted.
    pub async fn authenticate(&self, token: &str) -> Result<Identity> {
        self.im.tokens.authenticate(token).await
    }

    /// Ends all tokens of this user, on every node, and closes their sockets.
    pub async fn logout(&self, identity: &Identity) -> Result<()> {
        let version = self.im.store.bump_token_version(identity.user_id).await?;
        self.token_version_changed(identity.user_id, version).await;
        Ok(())
    }

    /// Tells every gateway that tokens of this user below `version` no longer work. Call it after the commit that raised
    /// the version; who misses it finds out by asking the store.
    pub async fn token_version_changed(&self, user: UserId, version: i64) {
        self.im.tokens.forget(user);
        let push = Push::control(control::Kind::TokenVersion(version));
        let told = self.im.bus.publish(&Subject::User(user), push).await;
        if let Err(error) = told {
            tracing::warn!(%error, user, "a new token version was not told; gateways find it by asking");
        }
    }

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

    /// Accounts whose username or nickname contains `keyword`, the caller's own left out; at most `limit`, no more than
    /// [`limits::MAX_PAGE`].
    ///
    /// # Errors
    /// `invalid_request` for an empty or over-long keyword.
    pub async fn search(&self, caller: UserId, keyword: &str, limit: i64) -> Result<Vec<Profile>> {
        let keyword = keyword_of(keyword)?;
        let found = self
            .im
            .store
            .search_users(keyword, caller, limit.clamp(1, limits::MAX_PAGE))
            .await?;
        Ok(found.into_iter().map(Profile::from).collect())
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

    async fn limit(&self, what: Spending, client: Option<IpAddr>) -> Result<()> {
        let Some(client) = client else {
            return Ok(());
        };
        let limits = Limits { im: self.im };
        limits.spend(Payer::Network(client), what, 1).await
    }
}

/// A keyword to search for.
pub(crate) fn keyword_of(text: &str) -> Result<&str> {
    let keyword = text.trim();
    if keyword.is_empty() {
        return Err(Error::invalid(
            "keyword: give at least one visible character.",
        ));
    }
    validate::one_line("keyword", keyword, limits::MAX_NAME_CHARS)?;
    Ok(keyword)
}
