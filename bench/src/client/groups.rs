//! Makes groups and lets users join them.

use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;

use super::{Account, Rest};

/// How many join calls are in flight at once: those of one group wait for one row.
const CONCURRENCY: usize = 16;

/// A group that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: u64,
}

impl Group {
    /// Makes a group of `owner` with room for `members`, the owner included.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create(rest: &Rest, owner: &Account, members: usize) -> anyhow::Result<Self> {
        // The contract's smallest group has room for two.
        let body = json!({"name": "bench", "max_count": members.max(2)});
        let answer = rest.post("group/create", Some(&owner.token), &body).await?;
        serde_json::from_str(&answer).with_context(|| format!("group/create answered {answer}"))
    }

    /// Lets users in, by `POST group/join` of each.
    ///
    /// # Errors
    /// At the first that is refused.
    pub async fn join(self, rest: &Rest, accounts: &[Account]) -> anyhow::Result<()> {
        let body = &json!({"group_id": self.id});
        stream::iter(accounts)
            .map(Ok)
            .try_for_each_concurrent(CONCURRENCY, |account| async move {
                rest.post("group/join", Some(&account.token), body)
                    .await
                    .map(drop)
            })
            .await
    }
}
