//! Failures, as `lingxi_http` answers them.

pub(crate) use lingxi_http::{ApiError, ErrorBody};
