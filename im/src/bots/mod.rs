//! Bots: accounts of programs. They have tokens instead of a password, and a webhook that is told what they are told.
//!
//! For operators: whoever calls this has checked that the caller is one.

mod lookup;

use lingxi_domain::names::{Username, username_keys};
use lingxi_domain::role::AccountRole;
use lingxi_domain::webhook_secret::WebhookSecret;
use lingxi_domain::{ErrorCode, UserId, limits, now_ms};
use lingxi_store::{Bot, NewUser, User};

use crate::accounts::{name_taken, page_size, shown_as};
use crate::tokens::Audience;
use crate::{Accounts, Error, Inner, Listed, Result};

/// The text in place of a password's hash: no password has it.
const NO_PASSWORD: &str = "!";

/// Bots. Made by [`crate::Im::bots`].
#[derive(Clone, Copy)]
pub struct Bots<'a> {
    pub(crate) im: &'a Inner,
}

/// A bot that was just made.
#[derive(Clone, Debug)]
pub struct NewBot {
    /// Its account.
    pub id: UserId,
    /// Its name.
    pub username: String,
    /// Its first token.
    pub token: String,
}

/// A webhook as it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its address, as it was parsed.
    pub url: String,
    /// What its deliveries are signed with.
    pub secret: String,
}

impl Bots<'_> {
    /// Makes a bot with a token. Names such as `admin` may be given to it.
    ///
    /// # Errors
    /// `invalid_request` naming the field, `username_taken`, `too_many_bots`.
    pub async fn create(&self, username: &str, nickname: Option<&str>) -> Result<NewBot> {
        let username = Username::appointed(username)?;
        let nickname = shown_as(nickname, &username)?;
        let new = NewUser {
            username: username.shown(),
            username_key: username.key(),
            password_hash: NO_PASSWORD,
            nickname: &nickname,
            role: AccountRole::Bot,
            created_at: now_ms(),
        };
        let made = self.im.store.create_bot(&new, limits::MAX_BOTS).await;
        let id = made.map_err(name_taken)?.ok_or(ErrorCode::TooManyBots)?;
        self.im.names.registered(username.shown());
        let token = self.token(username.shown()).await?;
        Ok(NewBot {
            id,
            username: username.shown().to_owned(),
            token,
        })
    }

    /// One more token; those that the bot has stay.
    ///
    /// # Errors
    /// `user_not_found` where no bot has that name.
    pub async fn token(&self, username: &str) -> Result<String> {
        let bot = self.found(username).await?;
        let (token, _) = self.im.tokens.issue(&bot, Audience::Users)?;
        Ok(token)
    }

    /// Ends all tokens of a bot, on every node, and closes its sockets and streams.
    ///
    /// # Errors
    /// `user_not_found` where no bot has that name.
    pub async fn revoke(&self, username: &str) -> Result<()> {
        let bot = self.found(username).await?;
        let version = self.im.store.bump_token_version(bot.id).await?;
        let accounts = Accounts { im: self.im };
        accounts.token_version_changed(bot.id, version).await;
        Ok(())
    }

    /// The bots behind the id `after`, lowest first, at most `limit`, and how many there are.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn page(&self, after: Option<UserId>, limit: i64) -> Result<(Listed<Bot>, i64)> {
        let (store, limit) = (&self.im.store, page_size(limit));
        let mut items = store.bots(after.unwrap_or(0), limit + 1).await?;
        let has_more = items.len() > limit;
        items.truncate(limit);
        Ok((Listed { items, has_more }, store.count_bots().await?))
    }

    /// Sets or changes a bot's webhook; without a secret it gets a new one.
    ///
    /// # Errors
    /// `invalid_request` naming the field, also for an address that is private now; `user_not_found` where no bot has that
    /// name.
    pub async fn set_webhook(
        &self,
        username: &str,
        url: &str,
        secret: Option<&str>,
    ) -> Result<Webhook> {
        let reach = &self.im.config.webhooks;
        let url = reach.webhook(url)?;
        let secret = match secret {
            Some(text) => WebhookSecret::parse(text)?,
            None => WebhookSecret::of(rand::random()),
        };
        let bot = self.found(username).await?;
        lookup::check(reach, &url).await?;
        let webhook = Webhook {
            url: url.into(),
            secret: secret.text(),
        };
        let store = &self.im.store;
        match store
            .set_webhook(bot.id, &webhook.url, &webhook.secret)
            .await?
        {
            true => Ok(webhook),
            false => Err(no_bot()),
        }
    }

    /// Takes a bot's webhook away. Where there is none, nothing changes.
    ///
    /// # Errors
    /// `user_not_found` where no bot has that name.
    pub async fn remove_webhook(&self, username: &str) -> Result<()> {
        let bot = self.found(username).await?;
        self.im.store.remove_webhook(bot.id).await?;
        Ok(())
    }

    async fn found(&self, username: &str) -> Result<User> {
        let account = match username_keys(username) {
            Some(keys) => self.im.names.account(&keys).await?,
            None => None,
        };
        let bot = account
            .map(|(user, _)| user)
            .filter(|user| user.role == AccountRole::Bot && !user.deleted && !user.banned);
        bot.ok_or_else(no_bot)
    }
}

fn no_bot() -> Error {
    Error::new(
        ErrorCode::UserNotFound,
        "There is no bot of that name; check the spelling.",
    )
}
