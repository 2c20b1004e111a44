//! Type 10: a client says whom it watches.

use lingxi_domain::frame::client::{Expected, Head, Refused, Text};
use lingxi_domain::frame::kind;
use lingxi_domain::limits;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Command, Connection};
use crate::ws::allowance::Price;

/// Names that are looked up for the price of one request.
const NAMES_A_REQUEST: usize = 20;

/// Who of these is there? Answered at once, and again when it changes. Replaces the connection's earlier list.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Watch<'a> {
    /// Usernames: contacts, and people in a conversation with the user. At most 200; an empty list ends it.
    #[serde(borrow)]
    #[schemars(length(max = limits::MAX_WATCHED))]
    watch: Vec<Text<'a>>,
}

impl Command for Watch<'_> {
    const KINDS: &'static [i64] = &[kind::PRESENCE];
    const PRICE: Price = Price::Request;
    const EXPECTED: &'static [Expected] = &[("watch", "give a list of usernames.")];
}

impl Watch<'_> {
    pub(super) async fn run(self, from: &Connection<'_>, _: &Head<'_>) -> Result<(), Refused> {
        let names: Vec<&str> = self.watch.iter().map(|name| &**name).collect();
        if names.len() > limits::MAX_WATCHED {
            return Err(Refused::invalid("watch: name at most 200 users."));
        }
        for _ in 0..names.len().saturating_sub(1) / NAMES_A_REQUEST {
            from.pay(Price::Request).await?;
        }
        let Connection { state, session, .. } = from;
        let watched = state
            .watching
            .watch((&state.im, &state.queues), session, &names)
            .await;
        watched.map_err(|error| Refused::new(error.code(), error.message().to_owned()))
    }
}
