//! Ports that stay ours across a kill -9 and a restart, although tests run side by side in many processes.

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// Below the kernel's range for outgoing connections, so that no client socket takes one between two starts.
const RANGE: std::ops::Range<u16> = 10_240..31_999;

/// A loopback port, and the one above it, held by file locks for as long as this lives.
#[derive(Debug)]
pub struct Port {
    /// The lower one.
    pub number: u16,
    _locks: [File; 2],
}

impl Port {
    /// Reserves two that nobody listens on now and no other test holds.
    ///
    /// # Panics
    /// When there are none left.
    #[must_use]
    pub fn reserve() -> Self {
        // One for all that this user runs, wherever each has its temporary files.
        let user = std::fs::metadata("/proc/self").expect("/proc").uid();
        let folder = PathBuf::from(format!("/tmp/lingxi-test-ports-{user}"));
        std::fs::create_dir_all(&folder).expect("a folder for port locks");
        let take = |number: u16| {
            let lock = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(folder.join(number.to_string()))
                .expect("a port lock file");
            let free = lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok();
            free.then_some(lock)
        };
        let span = u64::from(RANGE.end - RANGE.start);
        let first = RandomState::new().build_hasher().finish() % span;
        for step in 0..span {
            let offset = u16::try_from((first + step) % span).expect("within the range");
            let number = RANGE.start + offset;
            if let Some(lower) = take(number)
                && let Some(upper) = take(number + 1)
            {
                return Self {
                    number,
                    _locks: [lower, upper],
                };
            }
        }
        panic!("no free loopback ports in {RANGE:?}");
    }
}
