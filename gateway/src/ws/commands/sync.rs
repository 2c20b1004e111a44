//! Type 7: a device says what it has and asks for the rest.

use std::collections::HashMap;

use lingxi_domain::frame::client::{Expected, Head, Refused};
use lingxi_domain::frame::kind;
use lingxi_domain::{Seq, limits};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Command, Connection};
use crate::ws::allowance::Price;
use crate::ws::pull;

/// Everything after these places, please: it is pushed to this connection only, up to a bound, the rest is told by a `gap`.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Sync {
    /// Conversation key → the last seq that the device has, 0 for none. At most 200.
    cursors: HashMap<String, Seq>,
}

impl Command for Sync {
    const KINDS: &'static [i64] = &[kind::SYNC];
    const PRICE: Price = Price::Request;
    const EXPECTED: &'static [Expected] =
        &[("cursors", "give an object of conversation and last seq.")];
}

impl Sync {
    pub(super) async fn run(self, from: &Connection<'_>, _: &Head<'_>) -> Result<(), Refused> {
        let Self { cursors } = self;
        if cursors.len() > pull::CONVERSATIONS {
            let message = "cursors: name at most 200 conversations at a time.";
            return Err(Refused::invalid(message));
        }
        let possible = 0..limits::MAX_INTEGER;
        if cursors.values().any(|seq| !possible.contains(seq)) {
            return Err(Refused::invalid("cursors: a seq is 0 or more."));
        }
        pull::answer(from.state, from.session, cursors)
            .await
            .map_err(|error| error.code().into())
    }
}
