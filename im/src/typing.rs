//! That somebody is typing, told to whoever is there. Nobody else ever learns of it.

mod recent;

use std::sync::Arc;

use lingxi_domain::frame::client::Recipient;
use lingxi_domain::frame::server;
use lingxi_domain::{ConversationKey, GroupId, UserId, limits};
use lingxi_proto::bus::{Push, PushFrame};

use recent::Members;
pub(crate) use recent::Recent;

use crate::log;
use crate::{Actor, Im, Inner};

impl Im {
    /// Shows to the others of a conversation that the actor is typing: once in three seconds, and not in groups of more
    /// than [`limits::MAX_TYPING_MEMBERS`]. What cannot be shown is no news for the one who types.
    pub async fn typing(&self, actor: &Actor, to: Recipient<'_>) {
        let im = &*self.inner;
        let (key, group) = match to {
            Recipient::User(name) => match im.names.resolve(&name).await {
                Ok(Some((id, _))) => (ConversationKey::direct(actor.user_id, id), None),
                Ok(None) | Err(_) => return,
            },
            Recipient::Group(id) => (ConversationKey::Group(id), Some(id)),
        };
        if !im.typing.is_due(actor.user_id, key) {
            return;
        }
        let receivers: Arc<[UserId]> = match group {
            None => match key.peer_of(actor.user_id) {
                Some(peer) if !blocked(im, key).await => [peer].into(),
                _ => return,
            },
            Some(id) => match members(im, id).await {
                Some(members) if members.contains(&actor.user_id) => members,
                _ => return,
            },
        };
        let typing = server::typing(&actor.username, group);
        let payload = Push::of(vec![PushFrame::plain(typing)]);
        let others = receivers.iter().filter(|&&user| user != actor.user_id);
        log::publish(im, others.map(|&user| (user, payload.clone()))).await;
    }
}

/// Whether one of the two blocks the other: neither sees then whether the other is there. Not known, it is not told.
async fn blocked(im: &Inner, key: ConversationKey) -> bool {
    let head = im.store.conversation(&key.to_string()).await;
    head.map_or(true, |head| head.is_some_and(|head| head.blocked_by != 0))
}

async fn members(im: &Inner, group: GroupId) -> Members {
    if let Some(known) = im.typing.members.get(&group) {
        return known;
    }
    let key = ConversationKey::Group(group).to_string();
    let most = limits::MAX_TYPING_MEMBERS;
    match im.store.few_members(&key, most).await {
        Ok(members) => {
            let members: Members = members.map(Arc::from);
            im.typing.members.insert(group, members.clone());
            members
        }
        Err(error) => {
            tracing::warn!(%error, group, "who would be told of typing is not known");
            None
        }
    }
}
