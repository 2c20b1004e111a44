//! What a command is.

use std::sync::Arc;

use lingxi_domain::ErrorCode;
use lingxi_domain::frame::client::{Expected, Refused};
use schemars::JsonSchema;

use crate::state::AppState;
use crate::ws::allowance::{Allowance, Price};
use crate::ws::session::Session;

/// One kind of frame that clients send; the type holds its fields.
///
/// Beside this it has `async fn run(self, from: &Connection<'_>, head: &Head<'_>) -> Result<(), Refused>`, which checks the
/// fields' values and does what it is for; what it refuses is said by an ACK `failed`. (It is no method of the trait:
/// the compiler cannot yet see that such a future may go from thread to thread.)
pub(crate) trait Command: JsonSchema {
    /// The frame types that it goes by.
    const KINDS: &'static [i64];
    /// What it costs the user. Paid before its fields are read, so that a wrong one costs as much.
    const PRICE: Price;
    /// Of each field that may be missing or of another type, what it should be.
    const EXPECTED: &'static [Expected];
    /// Whether it is no frame without a `msg_id`.
    const NEEDS_ID: bool = false;
}

/// The connection that a frame came from.
pub(crate) struct Connection<'c> {
    pub(crate) state: &'c AppState,
    pub(crate) session: &'c Arc<Session>,
    /// What its user may still send.
    pub(crate) allowance: &'c Allowance,
}

impl Connection<'_> {
    /// Pays for a frame.
    ///
    /// # Errors
    /// `rate_limited` when the user has sent too much.
    pub(crate) async fn pay(&self, price: Price) -> Result<(), Refused> {
        if self.allowance.pay(&self.state.im, price).await {
            Ok(())
        } else {
            Err(ErrorCode::RateLimited.into())
        }
    }
}
