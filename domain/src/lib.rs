//! The words and rules of Lingxi: ids, frames, limits, permissions and error codes.
//!
//! No I/O and no async runtime: everything here is a value or a pure function, and every other crate may use it.
//! Start with [`conversation`] (what a message belongs to) and [`frame`] (what clients say and hear).

pub mod conversation;
pub mod detail;
pub mod emoji;
pub mod error_code;
pub mod event_id;
pub mod frame;
mod hash;
pub mod invitations;
pub mod limits;
pub mod message_id;
pub mod names;
pub mod operations;
pub mod picture;
pub mod policies;
pub mod reach;
pub mod replay;
pub mod role;
pub mod run;
pub mod search;
pub mod validate;
pub mod webhook_secret;

pub use conversation::ConversationKey;
pub use error_code::ErrorCode;
pub use hash::{content_hash, said_hash};

/// A user's id: positive, below 2^53, never reused.
pub type UserId = i64;
/// A group's id: positive, below 2^53, never reused.
pub type GroupId = i64;
/// A file's id: positive, below 2^53, never reused.
pub type FileId = i64;
/// A position in a conversation's log, dense from 1.
pub type Seq = i64;

/// Milliseconds since the Unix epoch by this machine's clock.
pub fn now_ms() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    elapsed.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
