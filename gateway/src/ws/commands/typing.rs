//! Type 9: somebody is typing. Shown to whoever is there; nobody else ever learns of it.

use lingxi_domain::frame::client::{Addressed, Expected, Head, Recipient, Refused, Text};
use lingxi_domain::frame::{kind, server};
use lingxi_domain::{ConversationKey, GroupId};
use lingxi_proto::bus::{Push, PushFrame};
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
    pub(super) async fn run(
        self,
        from: &Connection<'_>,
        _: &Head<'_>,
    ) -> Result<(), Refused> {
        let Self { to, group_id } = self;
        let addressed = Addressed { to, group_id };
        let to = match group_id {
            Some(_) => addressed.group()?,
            None => addressed.user_or_alias()?,
        };
        show(from, to).await;
        Ok(())
    }
}

/// Shows it. What cannot be shown is no news for the one who types.
async fn show(from: &Connection<'_>, to: Recipient<'_>) {
    let Connection { state, session, .. } = from;
    let key = match &to {
        Recipient::Group(id) => ConversationKey::Group(*id),
        Recipient::User(name) => match from.resolve(name).await {
            Ok((id, _)) => ConversationKey::direct(session.user_id, id),
            Err(_) => return,
        },
    };
    if !from.allowance.may_type(key) {
        return;
    }
    let (receivers, group_id) = match key {
        ConversationKey::Direct(..) => (Vec::from_iter(key.peer_of(session.user_id)), None),
        ConversationKey::Group(id) => match state.store.active_member_ids(&key.to_string()).await {
            Ok(members) if members.contains(&session.user_id) => (members, Some(id)),
            _ => return,
        },
    };
    let frame = PushFrame::plain(server::typing(&session.username, group_id));
    let payload = Push::of(vec![frame]);
    for user in receivers {
        if user != session.user_id {
            let subject = lingxi_bus::Subject::User(user);
            let _ = state.bus.publish(&subject, payload.clone()).await;
        }
    }
}
