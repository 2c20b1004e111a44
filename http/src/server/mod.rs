//! The server below the routes: HTTP/1.1 alone, connections that are counted, and deadlines for whatever a client can
//! leave undone.

mod activity;
mod connection;
pub mod internal;
mod places;
mod serve;
mod stream;

pub use serve::serve;
