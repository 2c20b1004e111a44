//! The one place where a transaction is run again.

use std::fmt::Display;
use std::time::Duration;

use crate::{Error, Store};

/// Times a transaction is run, the first one included.
const ATTEMPTS: u32 = 6;
/// The longest pause before the second run, doubled before each later one: at most about a second in all.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a transaction was not committed, in the words of whoever runs it.
pub trait Failure: Display {
    /// As [`Error::was_rolled_back`].
    fn was_rolled_back(&self) -> bool;
}

impl Failure for Error {
    fn was_rolled_back(&self) -> bool {
        Self::was_rolled_back(self)
    }
}

impl Store {
    /// Runs `once`, which is a transaction from its beginning to its commit, until it ends otherwise than by being rolled
    /// back for reasons that lie with others: a deadlock, a lock that was not given up, a connection that was lost before
    /// COMMIT was sent. An unknown outcome is not tried again here: whoever can tell whether it happened decides.
    ///
    /// # Errors
    /// The last run's: `once` is run at most six times, within about a second of pauses.
    pub async fn retried<T, E, F, Fut>(&self, once: F) -> Result<T, E>
    where
        E: Failure,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        run_again(once, E::was_rolled_back).await
    }

    /// [`Self::retried`] for a transaction that does no harm when it happens twice: it is run again after an unknown
    /// outcome, too.
    ///
    /// # Errors
    /// As [`Self::retried`].
    pub(crate) async fn repeated<T, F, Fut>(&self, once: F) -> Result<T, Error>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let again = |error: &Error| match error {
            Error::Unavailable(outage) => error.was_rolled_back() || outage.is_unknown(),
            _ => false,
        };
        run_again(once, again).await
    }
}

async fn run_again<T, E, F, Fut>(mut once: F, again: impl Fn(&E) -> bool) -> Result<T, E>
where
    E: Failure,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let mut attempt = 1;
    loop {
        match once().await {
            Err(error) if again(&error) && attempt < ATTEMPTS => {
                tracing::debug!(%error, attempt, "a transaction was not committed, or may not have been; running it again");
                tokio::time::sleep(jittered(PAUSE * 2_u32.pow(attempt - 1))).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Between a quarter of `longest` and all of it, so that those who met do not meet again.
fn jittered(longest: Duration) -> Duration {
    // Hash maps are seeded at random: enough to spread pauses, without a dependency.
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0_u8);
    longest / 4 + longest.mul_f64(0.75 * (random % 1024) as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::error::Error;

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let location = crate::Location::Sqlite(folder.path().join("test.db"));
        let store = Store::open(&location).await.unwrap();
        (folder, store)
    }

    /// How often a transaction is run that fails like this.
    async fn runs(failure: fn() -> Error) -> u32 {
        let (_folder, store) = store().await;
        let runs = Cell::new(0);
        let once = async || {
            runs.set(runs.get() + 1);
            Err::<(), _>(failure())
        };
        assert!(store.retried(once).await.is_err());
        runs.get()
    }

    #[tokio::test]
    async fn only_what_was_rolled_back_runs_again_and_not_forever() {
        assert_eq!(runs(|| Error::rolled_back("deadlock")).await, ATTEMPTS);
        assert_eq!(runs(|| Error::away("down")).await, 1);
        assert_eq!(runs(|| Error::unknown("lost in COMMIT")).await, 1);
        assert_eq!(runs(|| Error::Fenced).await, 1);
        assert_eq!(runs(|| Error::Constraint("entries_id")).await, 1);
    }

    #[tokio::test]
    async fn what_does_no_harm_twice_runs_again_after_an_unknown_outcome() {
        let (_folder, store) = store().await;
        for (failure, expected) in [
            (Error::unknown("lost in COMMIT"), 2),
            (Error::rolled_back("deadlock"), 2),
            (Error::away("down"), 1),
            (Error::Fenced, 1),
        ] {
            let (runs, mut failure) = (Cell::new(0), Some(failure));
            let once = || {
                runs.set(runs.get() + 1);
                std::future::ready(failure.take().map_or(Ok(()), Err))
            };
            let _ = store.repeated(once).await;
            assert_eq!(runs.get(), expected);
        }
    }

    #[tokio::test]
    async fn it_ends_with_the_first_success() {
        let (_folder, store) = store().await;
        let runs = Cell::new(0);
        let once = async || {
            runs.set(runs.get() + 1);
            match runs.get() {
                3 => Ok(7),
                _ => Err(Error::rolled_back("deadlock")),
            }
        };
        assert_eq!(store.retried(once).await.unwrap(), 7);
        assert_eq!(runs.get(), 3);
    }

    #[test]
    fn pauses_are_bounded() {
        for _ in 0..100 {
            let pause = jittered(PAUSE);
            assert!((PAUSE / 4..=PAUSE).contains(&pause), "{pause:?}");
        }
    }

    /// Callers spawn these.
    #[tokio::test]
    async fn what_is_retried_can_be_spawned() {
        fn spawnable(_: impl Future + Send + 'static) {}
        let (_folder, store) = store().await;
        let committer = store.committer("a");
        spawnable(async move { committer.begin().await });
        spawnable(async move {
            let _ = store.bump_token_version(1).await;
            let _ = store.mark_read(&[]).await;
            let _ = store.move_cursors(&[]).await;
            let _ = store.take_leases("a", 1, 1, false).await;
            let _ = store.release_some_leases("a", &[(1, 1)]).await;
            let _ = store.announce_worker("a", 1).await;
            let _ = store.claim_run("a", "b").await;
            let _ = store.requeueable_runs(1).await;
            let mut tx = store.begin().await?;
            tx.fence("a", &[]).await?;
            tx.commit().await
        });
    }
}
