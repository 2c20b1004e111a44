//! Reaching a server: where it is, whom to trust, what it answers, and in one line why not.

mod address;
mod explain;
mod refused;
mod rest;
mod socket;
mod tls;

pub(super) use address::Server;
pub(super) use refused::Refused;
pub(super) use rest::Rest;
pub(super) use socket::{Socket, connect};
