//! WebSocket frames: what clients say ([`client`]) and hear ([`server`]), one JSON object each.

pub mod client;
pub mod content;
pub mod kind;
pub mod server;
