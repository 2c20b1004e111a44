//! That somebody is typing, told to whoever is there. Nobody else ever learns of it.

use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::frame::client::Recipient;
use lingxi_domain::frame::server;
use lingxi_domain::{ConversationKey, GroupId, UserId, limits};
use lingxi_proto::bus::{Push, PushFrame};
use moka::sync::Cache;

use crate::log;
use crate::{Actor, Im, Inner};

/// Told once in this time for each user and conversation.
const ONCE_IN: Duration = Duration::from_secs(3);
/// Members are read again after this time: who was removed is told for no longer.
const MEMBERS_FOR: Duration = Duration::from_secs(2);
const GROUPS: u64 = 10_000;
const TYPISTS: u64 = 100_000;

/// The members of a group that is small enough.
type Members = Option<Arc<[UserId]>>;

pub(crate) struct Typing {
    members: Cache<GroupId, Members>,
    told: Cache<(UserId, ConversationKey), ()>,
}

impl Typing {
    pub(crate) fn new() -> Self {
        Self {
            members: Cache::builder()
                .max_capacity(GROUPS)
                .time_to_live(MEMBERS_FOR)
                .build(),
            told: Cache::builder()
                .max_capacity(TYPISTS)
                .time_to_live(ONCE_IN)
                .build(),
        }
    }

    /// Returns true if it is told now; not again for a while.
    fn is_due(&self, user: UserId, key: ConversationKey) -> bool {
        let entry = self.told.entry((user, key)).or_insert(());
        entry.is_fresh()
    }
}

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
            None => key.peer_of(actor.user_id).into_iter().collect(),
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
