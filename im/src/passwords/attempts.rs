//! Guessing is slowed down, for the guesser.

use std::net::IpAddr;
use std::time::Duration;

use lingxi_cache::{Backoff, Decision};

use crate::{Error, Inner, Payer, Result};

/// For one name from one network.
const HERE: Backoff = Backoff {
    free: 10,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(300),
    memory: Duration::from_secs(900),
};
/// For one name from all networks that its user has not logged in from, so that many networks are no way around.
const ELSEWHERE: Backoff = Backoff {
    free: 100,
    longest: Duration::from_secs(60),
    ..HERE
};

/// A try to log in, counted before the password is looked at: as many as come at once are judged no more than one after
/// the other.
pub(crate) struct Attempt {
    key: Option<String>,
    elsewhere: Option<String>,
}

impl Attempt {
    /// Counts a try for this name, which need not exist. From a `known` network only tries from there count.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub(crate) async fn reserve(
        im: &Inner,
        name_key: &str,
        client: Option<IpAddr>,
        known: bool,
    ) -> Result<Self> {
        let mut attempt = Self {
            key: None,
            elsewhere: None,
        };
        if !im.config.rate_limits {
            return Ok(attempt);
        }
        let from = client.map_or("-".to_owned(), |client| Payer::Network(client).to_string());
        let key = format!("login:{from}:{name_key}");
        count(im, &key, HERE).await?;
        attempt.key = Some(key);
        if !known {
            let elsewhere = format!("login:{name_key}");
            if let Err(refused) = count(im, &elsewhere, ELSEWHERE).await {
                attempt.not_made(im).await;
                return Err(refused);
            }
            attempt.elsewhere = Some(elsewhere);
        }
        Ok(attempt)
    }

    /// The password was right: what came before from there is forgotten.
    pub(crate) async fn succeeded(self, im: &Inner) {
        if let Some(key) = &self.key
            && let Err(error) = im.cache.forget(key).await
        {
            tracing::warn!(%error, "failed logins are not forgotten");
        }
        release(im, self.elsewhere.as_deref()).await;
    }

    /// Nobody looked at the password.
    pub(crate) async fn not_made(self, im: &Inner) {
        release(im, self.key.as_deref()).await;
        release(im, self.elsewhere.as_deref()).await;
    }
}

async fn count(im: &Inner, key: &str, backoff: Backoff) -> Result<()> {
    match im.cache.attempt(key, backoff).await {
        Ok(Decision::Allowed) => Ok(()),
        Ok(Decision::RetryAfter(wait)) => {
            let what = "Too many wrong passwords for this username";
            Err(Error::limited(what, wait))
        }
        Err(error) => {
            tracing::warn!(%error, "logins are not counted");
            Ok(())
        }
    }
}

async fn release(im: &Inner, key: Option<&str>) {
    if let Some(key) = key
        && let Err(error) = im.cache.release(key).await
    {
        tracing::warn!(%error, "a login that was not tried stays counted");
    }
}
