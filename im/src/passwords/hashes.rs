//! Password hashes, computed beside the async threads, a bounded number of them.

use std::net::IpAddr;
use std::thread;

use lingxi_domain::{ErrorCode, limits, names};
use rustix::process::nice;
use tokio::sync::oneshot;

use super::queue::{Kind, Queue};
use super::waiting::Room;
use crate::limits::network;
use crate::{Error, Result};

/// Hashes that may wait for each core; more are refused.
const WAITING_PER_CORE: usize = 64;
/// Hashes that may wait for one network, where limits are on: as many as it may log in at once.
const WAITING_PER_NETWORK: usize = 32;

/// How much lower a hash's priority is, as `nice` counts it: it gets about a third of what a thread that serves people gets
/// where both want a core.
const GIVING_WAY: i32 = 5;

pub(crate) struct Passwords {
    cost: u32,
    queue: Queue,
    /// The hash that the password of an unknown user is compared with: of no password at all.
    nobody: String,
}

impl Passwords {
    /// With `limited`, a core is kept for known networks (where there are two), and one network cannot fill the queue.
    pub(crate) fn new(cost: u32, limited: bool) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let waiting = cores * WAITING_PER_CORE;
        Self {
            cost,
            queue: Queue::new(Room {
                running: cores,
                kept: usize::from(limited && cores > 1),
                waiting,
                per_network: if limited {
                    WAITING_PER_NETWORK
                } else {
                    waiting
                },
            }),
            // A salt and a hash of zeros.
            nobody: format!("$2b${cost:02}${}", ".".repeat(22 + 31)),
        }
    }

    /// The hash of a password that passed validation.
    ///
    /// # Errors
    /// `rate_limited` where too many wait.
    pub(crate) async fn hash(&self, password: &str, client: Option<IpAddr>) -> Result<String> {
        let (cost, password) = (self.cost, password.to_owned());
        // Not `non_truncating_hash`, which counts a 73rd byte that bcrypt never reads; 72 are whole.
        let hash = move || bcrypt::hash(password, cost);
        let hashed = self.run((Kind::Registration, client), hash).await?;
        hashed.map_err(|error| {
            tracing::error!(%error, "a password cannot be hashed");
            ErrorCode::Internal.into()
        })
    }

    /// Whether the password has that hash, prepared or as it was given. Takes as long for `None`, an account that is not there, as for a wrong one.
    ///
    /// # Errors
    /// `rate_limited` where too many wait: nothing was judged then.
    pub(crate) async fn verify(
        &self,
        password: &str,
        hash: Option<String>,
        whose: (Kind, Option<IpAddr>),
    ) -> Result<bool> {
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let (prepared, raw) = names::password_forms(password);
        if self.matches(&prepared, &hash, whose).await? {
            return Ok(true);
        }
        match raw {
            // Hashes from before passwords were prepared are of this.
            Some(raw) => self.matches(raw, &hash, whose).await,
            None => Ok(false),
        }
    }

    async fn matches(
        &self,
        password: &str,
        hash: &str,
        whose: (Kind, Option<IpAddr>),
    ) -> Result<bool> {
        // No account has such a password, and its first 72 bytes must not count as it.
        let possible = password.len() <= limits::MAX_PASSWORD_BYTES && !password.contains('\0');
        let password = if possible { password } else { "" }.to_owned();
        let hash = hash.to_owned();
        // A stored text that is no hash lets nobody in.
        let verify = move || bcrypt::verify(password, &hash).unwrap_or(false);
        let same = self.run(whose, verify).await?;
        Ok(possible && same)
    }

    async fn run<T: Send + 'static>(
        &self,
        (kind, client): (Kind, Option<IpAddr>),
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let turn = self.queue.turn(kind, client.map(network)).await?;
        let (tell, told) = oneshot::channel();
        // A thread of its own, since it keeps the priority that it gave itself. Its cost is nothing beside a hash's.
        let spawned = thread::Builder::new()
            .name("password".into())
            .spawn(move || {
                // Of this thread alone, on Linux.
                if let Err(error) = nice(GIVING_WAY) {
                    tracing::debug!(%error, "a hash has the priority of everything else");
                }
                let done = work();
                // Held until the work has ended, also where nobody waits for it any more.
                drop(turn);
                let _ = tell.send(done);
            });
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread for a password's hash");
            return Err(ErrorCode::Unavailable.into());
        }
        told.await.map_err(|_| {
            tracing::error!("hashing a password ended badly");
            Error::from(ErrorCode::Internal)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const SOMEBODY: (Kind, Option<IpAddr>) = (Kind::Login, None);

    #[tokio::test]
    async fn right_is_right_and_anything_else_is_wrong() {
        let passwords = Passwords::new(4, true);
        let hash = Some(passwords.hash("correct horse", None).await.unwrap());
        let verify = async |password: &str, hash: &Option<String>| {
            let verified = passwords.verify(password, hash.clone(), SOMEBODY).await;
            verified.unwrap()
        };
        assert!(verify("correct horse", &hash).await);
        assert!(!verify("wrong horse", &hash).await);
        assert!(!verify("", &Some("no hash".into())).await);
        assert!(!verify("", &None).await && !verify("correct horse", &None).await);
    }

    #[tokio::test]
    async fn hashes_of_unprepared_passwords_still_count() {
        let passwords = Passwords::new(4, true);
        let (decomposed, composed) = ("cafe\u{301} noir", "caf\u{e9} noir");
        let old = passwords.hash(decomposed, None).await.unwrap();
        let new = passwords.hash(composed, None).await.unwrap();
        for (given, hash, right) in [
            (decomposed, &old, true),
            (composed, &old, false),
            (decomposed, &new, true),
            (composed, &new, true),
            ("cafe\u{301}\u{3000}noir", &new, true),
            ("cafe noir", &new, false),
        ] {
            let found = passwords.verify(given, Some(hash.clone()), SOMEBODY).await;
            assert_eq!(found.unwrap(), right, "{}", given.escape_unicode());
        }
    }

    #[tokio::test]
    async fn nobody_takes_as_long_as_somebody() {
        let passwords = Passwords::new(10, true);
        let hash = Some(passwords.hash("correct horse", None).await.unwrap());
        let mut shortest = [f64::MAX; 2];
        for _ in 0..6 {
            for (slot, hash) in shortest.iter_mut().zip([hash.clone(), None]) {
                let start = Instant::now();
                let verified = passwords.verify("wrong horse", hash, SOMEBODY).await;
                assert!(!verified.unwrap());
                *slot = slot.min(start.elapsed().as_secs_f64());
            }
        }
        let ratio = shortest[0] / shortest[1];
        assert!((0.4..2.5).contains(&ratio), "{shortest:?}");
    }

    #[tokio::test]
    async fn a_hash_gives_way() {
        let passwords = Passwords::new(4, true);
        let own = || nice(0).unwrap();
        let before = own();
        let theirs = passwords.run(SOMEBODY, own).await.unwrap();
        assert_eq!(theirs, (before + GIVING_WAY).min(19));
        assert_eq!(own(), before, "others keep theirs");
    }

    #[tokio::test]
    async fn a_hash_that_panics_gives_its_turn_back() {
        let passwords = Passwords::new(4, true);
        for _ in 0..2 * thread::available_parallelism().unwrap().get() {
            let failed = passwords.run(SOMEBODY, || panic!("on purpose")).await;
            assert_eq!(failed.map(|()| 0).unwrap_err().code(), ErrorCode::Internal);
        }
        passwords.hash("correct horse", None).await.unwrap();
    }
}
