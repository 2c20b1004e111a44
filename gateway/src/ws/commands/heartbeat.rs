//! Type 1: a life sign, which is answered.

use lingxi_domain::frame::client::{Expected, Head, Refused};
use lingxi_domain::frame::{kind, server};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Command, Connection};
use crate::ws::allowance::Price;

/// A life sign; answered by an ACK `received` with its `msg_id`.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Heartbeat {}

impl Command for Heartbeat {
    const KINDS: &'static [i64] = &[kind::HEARTBEAT];
    const PRICE: Price = Price::Life;
    const EXPECTED: &'static [Expected] = &[];
}

impl Heartbeat {
    pub(super) async fn run(self, from: &Connection<'_>, head: &Head<'_>) -> Result<(), Refused> {
        from.session.push_plain(server::received(&head.msg_id));
        Ok(())
    }
}
