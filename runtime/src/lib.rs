//! What every process needs whatever it does: configuration, telemetry, health, stopping.
//!
//! No word of chat or AI is in its logic; the sections of [`config::Config`] are plain data. Start reading at
//! [`config`], then [`shutdown`].

pub mod budget;
pub mod config;
pub mod data_dir;
pub mod health;
pub mod listener;
pub mod metrics;
mod profile;
pub mod shutdown;
pub mod telemetry;
