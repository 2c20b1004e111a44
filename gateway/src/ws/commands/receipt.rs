//! Type 8: a client says how far it has a conversation, or how far its user has read it.

use lingxi_domain::frame::client::{Expected, Head, Refused, Text};
use lingxi_domain::frame::kind;
use lingxi_domain::{ConversationKey, ErrorCode, Seq, limits};
use lingxi_proto::bus::CursorMove;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Command, Connection};
use crate::ws::allowance::Price;
use crate::ws::resync;

/// How far a conversation was received or read.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Receipt<'a> {
    /// The conversation's key, such as `d:1:2` or `g:42`.
    #[serde(borrow)]
    conversation: Text<'a>,
    /// Everything up to here.
    #[schemars(range(min = 1))]
    seq: Seq,
    kind: Reached,
}

/// What the client's side did with it.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Reached {
    /// It has it, however it got it.
    Delivered,
    /// The user has seen it.
    Read,
}

impl Command for Receipt<'_> {
    const KINDS: &'static [i64] = &[kind::RECEIPT];
    const PRICE: Price = Price::Request;
    const EXPECTED: &'static [Expected] = &[
        ("conversation", "give its key as a string."),
        ("seq", "give a positive integer."),
        ("kind", "say \"delivered\" or \"read\"."),
    ];
}

impl Receipt<'_> {
    pub(super) async fn run(self, from: &Connection<'_>, _: &Head<'_>) -> Result<(), Refused> {
        let Connection { state, session, .. } = from;
        if !(1..limits::MAX_INTEGER).contains(&self.seq) {
            return Err(Refused::invalid("seq: give a positive integer."));
        }
        let key = self
            .conversation
            .parse::<ConversationKey>()
            .map_err(|_| Refused::invalid("conversation: give a key such as d:1:2 or g:42."))?;
        match self.kind {
            Reached::Read if state.receipts.add(session, key, self.seq) => {}
            Reached::Read => return Err(ErrorCode::Unavailable.into()),
            Reached::Delivered => {
                let moved = CursorMove {
                    conversation: key.to_string(),
                    user_id: session.user_id,
                    from: 1,
                    to: self.seq,
                };
                resync::confirm(state, vec![moved]).await;
            }
        }
        Ok(())
    }
}
