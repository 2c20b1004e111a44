//! The caches against the promises of every cache, and against servers that go away.

#![allow(
    clippy::disallowed_methods,
    reason = "a test's tasks end with its runtime"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests panic where a promise is broken"
)]

mod conformance;
mod connecting;
mod fake;
mod outage;
mod server;
