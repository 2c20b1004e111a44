//! Places for uploads: each holds a file on the disk, a little memory, and a connection for as long as it takes.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::{ErrorCode, UserId};
use parking_lot::Mutex;

use crate::{Error, FileLimits, Result};

/// The uploads of a process. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    most: usize,
    most_of_one: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of: HashMap<UserId, usize>,
}

/// The place of one upload, until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    user: UserId,
    taken: Arc<Mutex<Taken>>,
}

impl Places {
    pub(crate) fn new(limits: &FileLimits) -> Self {
        Self {
            most: limits.uploads,
            most_of_one: limits.uploads_per_user,
            taken: Arc::default(),
        }
    }

    /// A place for one more.
    ///
    /// # Errors
    /// `rate_limited` where the user has as many as they may; `unavailable` where all are taken.
    pub(super) fn take(&self, user: UserId) -> Result<Place> {
        let mut taken = self.taken.lock();
        if taken.all >= self.most {
            let message = "Too many files are being uploaded just now; try again shortly.";
            return Err(Error::new(ErrorCode::Unavailable, message));
        }
        let own = taken.of.entry(user).or_default();
        if *own >= self.most_of_one {
            let message = "Too many uploads at once; wait until some of them are through.";
            return Err(Error::new(ErrorCode::RateLimited, message));
        }
        *own += 1;
        taken.all += 1;
        let taken = self.taken.clone();
        Ok(Place { user, taken })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        taken.all -= 1;
        if let Some(own) = taken.of.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                taken.of.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_process_have_so_many_and_get_them_back() {
        let places = Places::new(&FileLimits {
            uploads: 3,
            uploads_per_user: 2,
            ..FileLimits::default()
        });
        let refused = |user| places.take(user).map(drop).unwrap_err().code();
        let (first, _second) = (places.take(1).unwrap(), places.take(1).unwrap());
        assert_eq!(refused(1), ErrorCode::RateLimited);
        let third = places.take(2).unwrap();
        assert_eq!(refused(3), ErrorCode::Unavailable);
        drop(first);
        drop(third);
        assert!(places.take(1).is_ok() && places.take(3).is_ok());
        assert_eq!(places.taken.lock().of.len(), 1, "who is gone is forgotten");
    }
}
