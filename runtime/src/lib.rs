//! What every process needs whatever it does: configuration, telemetry, health, stopping.
//!
//! No word of chat or AI is in it. Start reading at [`config`], then [`shutdown`].

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "a test's tasks end with its runtime"
    )
)]

pub mod budget;
pub mod config;
pub mod data_dir;
pub mod descriptors;
pub mod health;
pub mod listener;
mod log_line;
pub mod metrics;
pub mod outage;
mod profile;
pub mod shutdown;
pub mod telemetry;
