//! Bearer tokens: made at login, checked against the account's present token version.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use lingxi_domain::role::AccountRole;
use lingxi_domain::{ErrorCode, UserId, now_ms};
use lingxi_store::{Store, User};
use moka::sync::Cache;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{Actor, ImConfig, Result};

/// How long a token version is believed: an older token stops working everywhere after this time.
const VERSION_TTL: Duration = Duration::from_millis(400);
const CAPACITY: u64 = 100_000;
/// The audience of the tokens that open the operators' API, and nothing else.
const OPERATORS: &str = "lingxi-admin";
/// How long a bot's token is good for where it is not revoked, in seconds: ten years.
const BOT_TTL_SECONDS: i64 = 10 * 365 * 24 * 3600;

/// Who a valid token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user_id: UserId,
    /// The user's name.
    pub username: String,
    /// What kind of account it is.
    pub role: AccountRole,
    /// The token version; the token works as long as it is the account's.
    pub version: i64,
    /// When the token ends, milliseconds since the Unix epoch.
    pub expires_at: i64,
}

impl Identity {
    /// This user, acting for himself.
    pub fn actor(&self) -> Actor {
        Actor::new(self.user_id, self.username.clone())
    }
}

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// What users do.
    Users,
    /// What operators do.
    Operators,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    username: String,
    role: String,
    ver: i64,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
}

pub(crate) struct Tokens {
    sign: EncodingKey,
    check: DecodingKey,
    /// Refuses every token that has an audience.
    of_users: Validation,
    of_operators: Validation,
    ttl_seconds: i64,
    /// Token versions of accounts that may log in; `None` for those that may not.
    versions: Cache<UserId, Option<i64>>,
    questions: Questions,
    store: Store,
}

/// Whose version is asked for, and where the answer goes.
type Question = (
    UserId,
    oneshot::Sender<std::result::Result<Option<i64>, ()>>,
);

/// Questions that wait for one query: a thousand clients that come back at once are no thousand queries. One of those who
/// ask has the turn and asks for all that wait by then.
#[derive(Default)]
struct Questions {
    waiting: Mutex<Vec<Question>>,
    turn: tokio::sync::Mutex<()>,
}

impl Questions {
    async fn ask(&self, store: &Store, user: UserId) -> std::result::Result<Option<i64>, ()> {
        loop {
            let (reply, mut answer) = oneshot::channel();
            self.waiting.lock().push((user, reply));
            let answered = tokio::select! {
                biased;
                answered = &mut answer => answered,
                _turn = self.turn.lock() => {
                    let batch = std::mem::take(&mut *self.waiting.lock());
                    if !batch.is_empty() {
                        answer_all(store, batch).await;
                    }
                    answer.await
                }
            };
            // Who had the turn may have been cancelled with the question in their hands.
            if let Ok(answered) = answered {
                return answered;
            }
        }
    }
}

async fn answer_all(store: &Store, batch: Vec<Question>) {
    let mut users: Vec<UserId> = batch.iter().map(|(user, _)| *user).collect();
    users.sort_unstable();
    users.dedup();
    let found = store.token_versions(&users).await;
    if let Err(error) = &found {
        tracing::warn!(%error, users = users.len(), "token versions cannot be read");
    }
    let found: Option<HashMap<UserId, Option<i64>>> = found.ok().map(|found| {
        let known = found.into_iter();
        known
            .map(|(user, version, gone)| (user, (!gone).then_some(version)))
            .collect()
    });
    for (user, reply) in batch {
        let answer = match &found {
            Some(found) => Ok(found.get(&user).copied().flatten()),
            None => Err(()),
        };
        let _ = reply.send(answer);
    }
}

impl Tokens {
    pub(crate) fn new(config: &ImConfig, store: Store) -> Self {
        let mut of_users = Validation::new(Algorithm::HS256);
        of_users.leeway = 0;
        let mut of_operators = of_users.clone();
        of_operators.set_audience(&[OPERATORS]);
        of_operators.set_required_spec_claims(&["exp", "aud"]);
        Self {
            questions: Questions::default(),
            store,
            sign: EncodingKey::from_secret(&config.jwt_secret),
            check: DecodingKey::from_secret(&config.jwt_secret),
            of_users,
            of_operators,
            ttl_seconds: config.jwt_ttl_hours.saturating_mul(3600),
            versions: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(VERSION_TTL)
                .build(),
        }
    }

    /// A token for this user, and when it ends in milliseconds since the Unix epoch.
    pub(crate) fn issue(&self, user: &User, audience: Audience) -> Result<(String, i64)> {
        let now = now_ms() / 1000;
        let ttl_seconds = match user.role {
            AccountRole::Bot => BOT_TTL_SECONDS,
            _ => self.ttl_seconds,
        };
        let claims = Claims {
            sub: user.id.to_string(),
            username: user.username.clone(),
            role: user.role.as_str().to_owned(),
            ver: user.token_version,
            iat: now,
            exp: now.saturating_add(ttl_seconds),
            aud: (audience == Audience::Operators).then(|| OPERATORS.to_owned()),
        };
        let token = jsonwebtoken::encode(&Header::default(), &claims, &self.sign);
        let token = token.map_err(|error| {
            tracing::error!(%error, "a token cannot be signed");
            crate::Error::from(ErrorCode::Internal)
        })?;
        Ok((token, claims.exp.saturating_mul(1000)))
    }

    pub(crate) async fn authenticate(&self, token: &str, audience: Audience) -> Result<Identity> {
        let validation = match audience {
            Audience::Users => &self.of_users,
            Audience::Operators => &self.of_operators,
        };
        let claims = jsonwebtoken::decode::<Claims>(token, &self.check, validation);
        let claims = claims.map_err(|_| ErrorCode::Unauthorized)?.claims;
        let user_id: UserId = claims.sub.parse().map_err(|_| ErrorCode::Unauthorized)?;
        let mut version = self.version(user_id).await?;
        if version.is_some_and(|known| known < claims.ver) {
            // Given out since, maybe by another node.
            self.forget(user_id);
            version = self.version(user_id).await?;
        }
        if version != Some(claims.ver) {
            return Err(ErrorCode::Unauthorized.into());
        }
        Ok(Identity {
            user_id,
            username: claims.username,
            role: AccountRole::parse(&claims.role),
            version: claims.ver,
            expires_at: claims.exp.saturating_mul(1000),
        })
    }

    async fn version(&self, user: UserId) -> Result<Option<i64>> {
        if let Some(known) = self.versions.get(&user) {
            return Ok(known);
        }
        let answer = self.questions.ask(&self.store, user).await;
        let version = answer.map_err(|()| ErrorCode::Unavailable)?;
        self.versions.insert(user, version);
        Ok(version)
    }

    /// A hash of `text` that only who has the secret can make. `None` where it cannot be made, which is logged.
    pub(crate) fn keyed_hash(&self, text: &str) -> Option<String> {
        let hash = jsonwebtoken::crypto::sign(text.as_bytes(), &self.sign, Algorithm::HS256);
        hash.inspect_err(|error| tracing::error!(%error, "a text cannot be hashed"))
            .ok()
    }

    /// Whether it is the hash of `text`. How long that takes does not tell how much of it is right.
    pub(crate) fn is_keyed_hash(&self, hash: &str, text: &str) -> bool {
        let bytes = text.as_bytes();
        jsonwebtoken::crypto::verify(hash, bytes, &self.check, Algorithm::HS256).unwrap_or(false)
    }

    /// The version has changed: it is read again.
    pub(crate) fn forget(&self, user: UserId) {
        self.versions.invalidate(&user);
    }
}
