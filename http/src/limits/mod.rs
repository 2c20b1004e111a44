//! What one client can make a process hold: bodies being read, answers being written, requests in flight, requests a
//! second.

mod guard;
mod in_flight;
mod pace;
mod payer;
pub(crate) mod reading;
mod streamed;
mod writing;

pub(crate) use guard::{Guard, guard};
pub use in_flight::InFlight;
pub use reading::{BodyLimit, body_limit};
pub use streamed::streamed;
