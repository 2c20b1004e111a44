//! What handlers take from a request, each refused with the contract's error: bodies, queries, paths, who is asking.

mod auth;
mod client;
mod form;
mod json;
mod numbers;
mod path;
mod query;

pub(crate) use auth::{Asker, authenticate};
pub use auth::{Auth, HasIm, Operator};
pub use client::Client;
pub(crate) use client::address;
pub use form::{Form, FormFile};
pub use json::Json;
pub use numbers::{Position, Positive};
pub use path::Path;
pub use query::Query;
