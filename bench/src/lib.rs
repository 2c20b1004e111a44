//! What Lingxi is measured with: a load generator that speaks only the client contract, a simulator of an
//! OpenAI-compatible model, and the comparisons with other servers.
//!
//! It is not part of the server and shares no code with it, so a wrong idea of the protocol cannot hide in both. Start at
//! [`simulator::Simulator`] for tests of the AI path, at [`chat`] for the load.

#![allow(
    clippy::disallowed_methods,
    reason = "what a measurement runs ends with its process"
)]

pub mod attack;
pub mod chat;
pub mod client;
pub mod files;
pub mod group;
pub mod idle;
pub mod latency;
pub mod mirror;
pub mod output;
pub mod peers;
pub mod process;
pub mod queries;
pub mod reconnect;
pub mod simulator;
