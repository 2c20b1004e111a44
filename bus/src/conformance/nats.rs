//! Corners of a NATS server for tests: each namespace is seen by nobody else.

use rand::random;

use crate::SharedBus;
use crate::nats::{NatsBus, Options};

/// The server that tests share.
///
/// # Panics
/// When `LINGXI_TEST_NATS_URL` is not set.
pub fn server_url() -> String {
    std::env::var("LINGXI_TEST_NATS_URL").unwrap_or_else(|_| {
        panic!(
            "LINGXI_TEST_NATS_URL is not set: run ./test, which starts a server, or point it at one of your own"
        )
    })
}

/// Options for a namespace of the shared server that was never used before; its streams are small.
pub fn fresh_options() -> Options {
    Options {
        url: server_url(),
        namespace: format!("test-{:016x}", random::<u64>()),
        max_log_bytes: 8 << 20,
        ..Options::default()
    }
}

/// A bus in a namespace of its own. [`remove`] takes its streams away.
///
/// # Panics
/// When the server cannot be used.
pub async fn fresh() -> (SharedBus, Options) {
    let options = fresh_options();
    let bus = NatsBus::connect(options.clone()).await.unwrap();
    (bus, options)
}

/// Deletes the streams of a namespace.
///
/// # Panics
/// When the server cannot be used.
pub async fn remove(options: &Options) {
    crate::nats::remove_streams(options).await.unwrap();
}
