//! What the tests of several crates stand on: real database, bus and cache servers, processes that are killed and paused,
//! ports that stay a test's own, and waiting without sleeping for a guess.
//!
//! Only tests depend on it. Everything panics where a test could not go on.
#![allow(
    clippy::expect_used,
    reason = "a test fails by panicking, also in what tests share"
)]

mod port;
mod process;
mod server;
mod small_disk;
mod until;

pub use port::Port;
pub use process::{Process, wrapped};
pub use server::{Kind, Server};
pub use small_disk::SmallDisk;
pub use until::{DEADLINE, until, until_some};
