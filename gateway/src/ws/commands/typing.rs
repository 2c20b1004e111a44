//! Type 9: somebody is typing.

use lingxi_domain::GroupId;
use lingxi_domain::frame::client::{Addressed, Expected, Head, Refused, Text};
use lingxi_domain::frame::kind;
use lingxi_im::Actor;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Command, Connection};
use crate::ws::allowance::Price;

/// The user is typing. Never stored, never answered; shown at most once in three seconds.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Typing<'a> {
    /// A username, or `group_<id>`.
    #[serde(borrow, default)]
    to: Option<Text<'a>>,
    /// A group.
    #[serde(default)]
    group_id: Option<GroupId>,
}

impl Command for Typing<'_> {
    const KINDS: &'static [i64] = &[kind::TYPING];
    const PRICE: Price = Price::Request;
    const EXPECTED: &'static [Expected] = &[
        ("to", "give the recipient's username."),
        ("group_id", "give the group's id, a positive integer."),
    ];
}

impl Typing<'_> {
    pub(super) async fn run(self, from: &Connection<'_>, _: &Head<'_>) -> Result<(), Refused> {
        let Self { to, group_id } = self;
        let addressed = Addressed { to, group_id };
        let to = match group_id {
            Some(_) => addressed.group()?,
            None => addressed.user_or_alias()?,
        };
        let Connection { state, session, .. } = from;
        let actor = Actor::new(session.user_id, session.username.clone());
        state.im.typing(&actor, to).await;
        Ok(())
    }
}
