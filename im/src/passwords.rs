//! Password hashes, computed beside the async threads, a bounded number of them.

use std::sync::Arc;

use lingxi_domain::{ErrorCode, limits, names};
use tokio::sync::{OnceCell, Semaphore};

use crate::{Error, Result};

/// Hashes that may wait for each core; more are refused.
const WAITING_PER_CORE: usize = 64;

pub(crate) struct Passwords {
    cost: u32,
    queue: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// The hash that the password of an unknown user is compared with.
    nobody: OnceCell<String>,
}

impl Passwords {
    pub(crate) fn new(cost: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cost,
            queue: Arc::new(Semaphore::new(cores * (WAITING_PER_CORE + 1))),
            running: Arc::new(Semaphore::new(cores)),
            nobody: OnceCell::new(),
        }
    }

    /// The hash of a password that passed validation.
    pub(crate) async fn hash(&self, password: &str) -> Result<String> {
        let (cost, password) = (self.cost, password.to_owned());
        // Not `non_truncating_hash`, which counts a 73rd byte that bcrypt never reads; 72 are whole.
        let hashed = self.run(move || bcrypt::hash(password, cost)).await?;
        hashed.map_err(|error| {
            tracing::error!(%error, "a password cannot be hashed");
            ErrorCode::Internal.into()
        })
    }

    /// Whether the password has that hash, prepared or as it was given. Takes as long for `None`, an account that is not
    /// there, as for a wrong one.
    pub(crate) async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let hash = match hash {
            Some(hash) => hash,
            None => self
                .nobody
                .get_or_try_init(|| self.hash("nobody's password"))
                .await?
                .clone(),
        };
        let (prepared, raw) = names::password_forms(password);
        match raw {
            // Hashes from before passwords were prepared are of this.
            Some(raw) if !self.matches(&prepared, &hash).await? => self.matches(raw, &hash).await,
            Some(_) => Ok(true),
            None => self.matches(&prepared, &hash).await,
        }
    }

    async fn matches(&self, password: &str, hash: &str) -> Result<bool> {
        // No account has such a password, and its first 72 bytes must not count as it.
        let possible = password.len() <= limits::MAX_PASSWORD_BYTES && !password.contains('\0');
        let password = if possible { password } else { "" }.to_owned();
        let hash = hash.to_owned();
        // A stored text that is no hash lets nobody in.
        let same = self
            .run(move || bcrypt::verify(password, &hash).unwrap_or(false))
            .await?;
        Ok(possible && same)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let Ok(place) = self.queue.clone().try_acquire_owned() else {
            let message = "Too many people are logging in just now; try again in a few seconds.";
            return Err(Error::new(ErrorCode::RateLimited, message));
        };
        let Ok(running) = self.running.clone().acquire_owned().await else {
            return Err(ErrorCode::Internal.into());
        };
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Held until the work has ended, also where nobody waits for it any more.
            drop((running, place));
            done
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "hashing a password ended badly");
            ErrorCode::Internal.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hashes_of_unprepared_passwords_still_count() {
        let passwords = Passwords::new(4);
        let (decomposed, composed) = ("cafe\u{301} noir", "caf\u{e9} noir");
        let old = passwords.hash(decomposed).await.unwrap();
        let new = passwords.hash(composed).await.unwrap();
        for (given, hash, right) in [
            (decomposed, &old, true),
            (composed, &old, false),
            (decomposed, &new, true),
            (composed, &new, true),
            ("cafe\u{301}\u{3000}noir", &new, true),
            ("cafe noir", &new, false),
        ] {
            let found = passwords.verify(given, Some(hash.clone())).await.unwrap();
            assert_eq!(found, right, "{}", given.escape_unicode());
        }
    }

    #[tokio::test]
    async fn a_storm_is_refused_and_passes() {
        let passwords = Passwords::new(4);
        let hash = passwords.hash("correct horse").await.unwrap();
        let places = passwords.queue.available_permits();
        let storm = passwords
            .queue
            .clone()
            .acquire_many_owned(u32::try_from(places).unwrap())
            .await
            .unwrap();
        let refused = passwords
            .verify("correct horse", Some(hash.clone()))
            .await
            .unwrap_err();
        assert_eq!(refused.code(), ErrorCode::RateLimited);
        drop(storm);
        assert!(
            passwords
                .verify("correct horse", Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("wrong horse", Some(hash)).await.unwrap());
        assert!(!passwords.verify("", Some("no hash".into())).await.unwrap());
        assert_eq!(
            passwords.queue.available_permits(),
            places,
            "a place is not given back"
        );
    }
}
