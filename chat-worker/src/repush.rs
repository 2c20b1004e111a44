//! What was committed but may not have been pushed, by a former owner or here, is pushed again; receivers drop what they
//! have.

use lingxi_domain::{ConversationKey, UserId};
use lingxi_proto::bus::Push;
use lingxi_store::Entry;

use crate::Deps;
use crate::fanout::publish;

/// Entries read at a time.
const PAGE: i64 = 500;

/// Hands everything of a partition from behind `after` to `upto` to the bus. Answers whether that could be done; the
/// first failure ends it.
pub(crate) async fn push_again(deps: &Deps, partition: u16, mut after: i64, upto: i64) -> bool {
    #[cfg(feature = "sabotage")]
    if crate::sabotage::planted("no-repush-after-takeover") {
        return true;
    }
    while after < upto {
        let page = match deps
            .store
            .entries_after_id(partition, after, upto, PAGE)
            .await
        {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(partition, %error, "cannot read what was not pushed");
                return false;
            }
        };
        let Some(last) = page.last() else { break };
        after = last.id;
        if !push(deps, &page).await {
            return false;
        }
    }
    true
}

async fn push(deps: &Deps, entries: &[Entry]) -> bool {
    let frames = match deps.im.frames().of(entries).await {
        Ok(frames) => frames,
        Err(error) => {
            tracing::warn!(%error, "cannot encode what was not pushed");
            return false;
        }
    };
    for (entry, frame) in entries.iter().zip(frames) {
        let users = match receivers(deps, entry).await {
            Ok(users) => users,
            Err(error) => {
                tracing::warn!(%error, "cannot read who gets what was not pushed");
                return false;
            }
        };
        let push = Push::of(vec![frame]);
        for user in users {
            if !publish(&deps.bus, user, push.clone()).await {
                return false;
            }
        }
    }
    true
}

async fn receivers(deps: &Deps, entry: &Entry) -> Result<Vec<UserId>, lingxi_store::Error> {
    Ok(match entry.conversation.parse() {
        Ok(ConversationKey::Direct(a, b)) if a == b => vec![a],
        Ok(ConversationKey::Direct(a, b)) => vec![a, b],
        // Not to those who joined since.
        Ok(ConversationKey::Group(_)) => {
            deps.store
                .receivers_of(&entry.conversation, entry.seq)
                .await?
        }
        Err(_) => Vec::new(),
    })
}
