//! Reading what a client sent. Nothing here trusts it: sizes, shapes and values are checked, `from` is never read.
//!
//! [`Head::read`] says which command a frame is and how to answer it; the command's own fields are read by
//! [`Head::fields`]. What each command has is in the gateway, beside what it does.

mod head;
mod recipient;
mod refused;
mod text;

pub use head::{Expected, Head};
pub use recipient::{Addressed, Recipient};
pub use refused::Refused;
pub use text::Text;
