//! What handlers take from a request, as `lingxi_http` reads it.

pub(crate) use lingxi_http::{Auth, Json, Position, Query};
