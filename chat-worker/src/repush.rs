//! What the former owner of a partition committed but may not have pushed is pushed again; receivers drop what they have.

use bytes::Bytes;
use lingxi_domain::{ConversationKey, UserId};
use lingxi_proto::bus::PushFrame;
use lingxi_store::{Entry, Lease};

use crate::Deps;
use crate::fanout::{payload, publish};

/// Entries read at a time.
const PAGE: i64 = 500;

/// Pushes everything between the lease's `pushed_id` and its `last_id`. Answers whether all of it was read.
pub(crate) async fn push_again(deps: &Deps, lease: &Lease) -> bool {
    #[cfg(feature = "sabotage")]
    if crate::sabotage::planted("no-repush-after-takeover") {
        return true;
    }
    let mut after = lease.pushed_id;
    while after < lease.last_id {
        let page = match deps
            .store
            .entries_after_id(lease.partition, after, lease.last_id, PAGE)
            .await
        {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(partition = lease.partition, %error, "cannot read what was not pushed");
                return false;
            }
        };
        let Some(last) = page.last() else { break };
        after = last.id;
        push(deps, &page).await;
    }
    true
}

async fn push(deps: &Deps, entries: &[Entry]) {
    let frames = match deps.im.frames().encode_many(entries).await {
        Ok(frames) => frames,
        Err(error) => return tracing::warn!(%error, "cannot encode what was not pushed"),
    };
    for (entry, json) in entries.iter().zip(frames) {
        let Some(users) = receivers(deps, entry).await else {
            continue;
        };
        let push = frame(entry, json);
        for user in users {
            publish(&deps.bus, user, push.clone()).await;
        }
    }
}

fn frame(entry: &Entry, json: Bytes) -> Bytes {
    payload(vec![PushFrame {
        json,
        conversation: entry.conversation.clone(),
        seq: entry.seq,
    }])
}

async fn receivers(deps: &Deps, entry: &Entry) -> Option<Vec<UserId>> {
    match entry.conversation.parse().ok()? {
        ConversationKey::Direct(a, b) if a == b => Some(vec![a]),
        ConversationKey::Direct(a, b) => Some(vec![a, b]),
        // Not to those who joined since.
        ConversationKey::Group(_) => deps
            .store
            .receivers_of(&entry.conversation, entry.seq)
            .await
            .ok(),
    }
}
