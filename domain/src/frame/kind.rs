//! Frame types of the client contract.

/// Heartbeat, both ways.
pub const HEARTBEAT: i64 = 1;
/// Private message, both ways.
pub const PRIVATE: i64 = 2;
/// ACK, to clients.
pub const ACK: i64 = 3;
/// Group message, both ways.
pub const GROUP: i64 = 4;
/// System event, to clients.
pub const SYSTEM: i64 = 5;
/// Streamed assistant answer in a chat, to clients.
pub const AI_STREAM: i64 = 6;
/// Sync request, from clients.
pub const SYNC: i64 = 7;
/// Receipt, from clients.
pub const RECEIPT: i64 = 8;
/// Typing, both ways, never stored.
pub const TYPING: i64 = 9;
/// Whom a client watches, from clients; who of them is there, to clients; never stored.
pub const PRESENCE: i64 = 10;
