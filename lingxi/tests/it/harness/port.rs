//! Ports that stay ours across a kill -9 and a restart, although tests run side by side in many processes.

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::net::TcpListener;

/// Below the kernel's range for outgoing connections, so that no client socket takes one between two starts.
const RANGE: std::ops::Range<u16> = 10_240..32_000;

/// A loopback port, held by a file lock for as long as this lives.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) number: u16,
    _lock: File,
}

impl Port {
    /// Reserves a port that nobody listens on now and no other test holds.
    pub(crate) fn reserve() -> Self {
        let folder = std::env::temp_dir().join("lingxi-test-ports");
        std::fs::create_dir_all(&folder).expect("a folder for port locks");
        let span = u64::from(RANGE.end - RANGE.start);
        let first = RandomState::new().build_hasher().finish() % span;
        for step in 0..span {
            let offset = u16::try_from((first + step) % span).expect("within the range");
            let number = RANGE.start + offset;
            let lock = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(folder.join(number.to_string()))
                .expect("a port lock file");
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self {
                    number,
                    _lock: lock,
                };
            }
        }
        panic!("no free loopback port in {RANGE:?}");
    }
}
