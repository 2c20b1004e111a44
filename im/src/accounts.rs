//! Registering, logging in and out, and who is who.

mod changes;
mod directory;
mod operators;

use std::net::IpAddr;

use lingxi_bus::Subject;
use lingxi_domain::names::Username;
use lingxi_domain::role::AccountRole;
use lingxi_domain::{ErrorCode, UserId, names, now_ms};
use lingxi_proto::bus::{Push, control};
use lingxi_store::{NewUser, User};
use serde::{Deserialize, Serialize};

pub(crate) use directory::page_size;

use crate::passwords::{Attempt, Kind, Origin};
use crate::tokens::Audience;
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
    /// `user`, `bot`, `viewer`, `moderator` or `admin`.
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
        let username = Username::new(&new.username)?;
        let (password, nickname) = prepared(new, &username)?;
        self.limit(Spending::Registration, client).await?;
        let id = self.make(&username, &password, &nickname, client).await?;
        if let Ok(origin) = Origin::of(self.im, Some(id), client).await {
            origin.remember(self.im, id).await;
        }
        Ok(id)
    }

    /// Makes an account that an operator gives away; answers its id. Names such as `admin` are theirs to give.
    ///
    /// # Errors
    /// `invalid_request` naming the field, `username_taken`.
    pub async fn appoint(&self, new: &Registration) -> Result<UserId> {
        let username = Username::appointed(&new.username)?;
        let (password, nickname) = prepared(new, &username)?;
        self.make(&username, &password, &nickname, None).await
    }

    async fn make(
        &self,
        username: &Username,
        password: &str,
        nickname: &str,
        client: Option<IpAddr>,
    ) -> Result<UserId> {
        if self.im.store.user_by_key(username.key()).await?.is_some() {
            return Err(ErrorCode::UsernameTaken.into());
        }
        let password_hash = self.im.passwords.hash(password, client).await?;
        let user = NewUser {
            username: username.shown(),
            username_key: username.key(),
            password_hash: &password_hash,
            nickname,
            role: AccountRole::User,
            created_at: now_ms(),
        };
        let id = self.im.store.create_user(&user).await.map_err(name_taken)?;
        self.im.names.registered(username.shown());
        Ok(id)
    }

    /// Checks a password and makes a token. `client` is the caller's address, for the limits on logins. Unknown, banned
    /// and deleted accounts, and bots, answer like a wrong password, after the same time. Wrong passwords make the next try wait,
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
        let user = self.with_password(username, password, client).await?;
        self.session(user, Audience::Users)
    }

    /// Whose name and password this is.
    async fn with_password(
        &self,
        username: &str,
        password: &str,
        client: Option<IpAddr>,
    ) -> Result<User> {
        self.limit(Spending::Login, client).await?;
        let keys = names::username_keys(username);
        let key = keys.as_ref().map_or("", |keys| keys.key.as_str());
        let found = match &keys {
            Some(keys) => self.im.names.account(keys).await?,
            None => None,
        };
        let found = found
            .filter(|(user, _)| !user.banned && !user.deleted && user.role != AccountRole::Bot);
        let (user, hash) = found.unzip();
        let origin = Origin::of(self.im, user.as_ref().map(|user| user.id), client).await?;
        let attempt = Attempt::reserve(self.im, key, client, origin.is_known()).await?;
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
                Ok(user)
            }
            _ => Err(ErrorCode::InvalidCredentials.into()),
        }
    }

    fn session(&self, user: User, audience: Audience) -> Result<Login> {
        let (token, expires_at) = self.im.tokens.issue(&user, audience)?;
        Ok(Login {
            token,
            expires_at,
            user: user.into(),
        })
    }

    /// Whose token of a user or a bot this is. A token whose version was raised anywhere stops working here within 400 ms.
    ///
    /// # Errors
    /// `unauthorized` for a token that is bad, expired, superseded, or of an account that is banned or deleted.
    pub async fn authenticate(&self, token: &str) -> Result<Identity> {
        self.im.tokens.authenticate(token, Audience::Users).await
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

    async fn limit(&self, what: Spending, client: Option<IpAddr>) -> Result<()> {
        let Some(client) = client else {
            return Ok(());
        };
        let limits = Limits { im: self.im };
        limits.spend(Payer::Network(client), what, 1).await
    }
}

/// The prepared password and nickname of a new account.
fn prepared(new: &Registration, username: &Username) -> Result<(String, String)> {
    let password = names::password("password", &new.password)?;
    let nickname = shown_as(new.nickname.as_deref(), username)?;
    Ok((password, nickname))
}

/// The prepared nickname of a new account; without one, its username.
pub(crate) fn shown_as(nickname: Option<&str>, username: &Username) -> Result<String> {
    match nickname.filter(|nickname| !nickname.is_empty()) {
        Some(nickname) => Ok(names::display_name("nickname", nickname)?),
        None => Ok(username.shown().to_owned()),
    }
}

/// Why an account was not made, where its name stands in the way.
pub(crate) fn name_taken(error: lingxi_store::Error) -> Error {
    match error {
        lingxi_store::Error::Constraint("users_username_key") => ErrorCode::UsernameTaken.into(),
        lingxi_store::Error::Constraint("users_username_skeleton") => Error::new(
            ErrorCode::UsernameTaken,
            "That username looks like one that is taken; choose another.",
        ),
        other => Error::from(other),
    }
}
