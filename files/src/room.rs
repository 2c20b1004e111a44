//! Room on the disk that files on their way in were promised, and have not taken yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What all of them were promised, in bytes. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    promised: Arc<AtomicU64>,
}

/// What one of them was promised, until this is dropped.
#[derive(Debug)]
pub(crate) struct Promise {
    room: Room,
    left: u64,
}

impl Room {
    /// Promises so many bytes; answers how many are promised to all then.
    pub(crate) fn promise(&self, bytes: u64) -> (Promise, u64) {
        let before = self.promised.fetch_add(bytes, Ordering::Relaxed);
        let promise = Promise {
            room: self.clone(),
            left: bytes,
        };
        (promise, before.saturating_add(bytes))
    }
}

impl Promise {
    /// So many bytes were written: the disk counts them now.
    pub(crate) fn took(&mut self, bytes: u64) {
        let taken = bytes.min(self.left);
        self.left -= taken;
        self.room.promised.fetch_sub(taken, Ordering::Relaxed);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.took(self.left);
    }
}
