//! What every HTTP edge shares: extractors, the error answer, the layers around the routes, the server below them.
//!
//! It knows no route: an edge brings its endpoints as [`Routes`], puts [`app`] around them and hands the result to
//! [`serve`]. Start with `stack` (the layers in their order), then `limits` (what one client can make a process hold) and
//! `server` (connections).

mod bearer;
mod client_address;
mod error;
mod extract;
mod hosts;
mod labels;
mod limits;
mod mask;
mod network;
mod openapi;
mod options;
mod origins;
mod request_log;
mod server;
pub mod settings;
mod stack;

pub use bearer::bearer;
pub use error::{ApiError, ApiResult, ErrorBody};
pub use extract::{
    Auth, Client, Form, FormFile, HasIm, Json, Operator, Path, Position, Positive, Query,
};
pub use limits::{BodyLimit, InFlight, body_limit, streamed};
pub use network::Network;
pub use openapi::{Endpoint, Routes, name_conflicts, routes};
pub use options::Options;
pub use request_log::{Cause, RequestId};
pub use server::{internal, serve};
pub use stack::app;
