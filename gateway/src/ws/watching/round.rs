//! Looking who is there, for all clients of this gateway together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::UserId;
use lingxi_im::Im;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::list::List;
use super::lists::Watching;

/// What has changed is told once in this time.
const ROUND: Duration = Duration::from_secs(2);
/// Users that the cache is asked about at a time.
const CHUNK: usize = 1000;
/// Who may be seen stands for this time, unless the gateway is told that it has changed.
const JUDGED_FOR: Duration = Duration::from_secs(60);
/// Lists that are judged anew in one round, so that the store is never asked for all at once.
const JUDGED_AT_ONCE: usize = 64;
/// Lists that are gone through before other tasks have their turn.
const TURN: usize = 64;

/// Looks until the gateway stops.
pub(crate) async fn run(watching: Arc<Watching>, im: Im, stopping: CancellationToken) {
    let mut ticks = interval(ROUND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = ticks.tick() => round(&watching, &im).await,
        }
    }
}

async fn round(watching: &Watching, im: &Im) {
    let lists = watching.all();
    if lists.is_empty() {
        return;
    }
    judge(im, &lists).await;
    let users: HashSet<UserId> = lists.iter().flat_map(|list| list.ids()).collect();
    let users: Vec<UserId> = users.into_iter().collect();
    let mut online = HashMap::with_capacity(users.len());
    for users in users.chunks(CHUNK) {
        // Unknown is as before.
        let Some(answer) = im.presence().online(users).await else {
            return;
        };
        online.extend(users.iter().copied().zip(answer));
    }
    for lists in lists.chunks(TURN) {
        lists.iter().for_each(|list| list.tell(&online));
        tokio::task::yield_now().await;
    }
}

/// Finds out anew whom some of the clients may see: first those of which the gateway was told that it has changed, then
/// those for whom it has stood longest.
async fn judge(im: &Im, lists: &[Arc<List>]) {
    let stands = |list: &Arc<List>| list.judged().map(|at| at.elapsed());
    let mut due: Vec<_> = lists
        .iter()
        .map(|list| (stands(list), list))
        .filter(|(stands, _)| stands.is_none_or(|stands| stands >= JUDGED_FOR))
        .collect();
    due.sort_by_key(|(stands, _)| std::cmp::Reverse(stands.unwrap_or(Duration::MAX)));
    for (_, list) in due.into_iter().take(JUDGED_AT_ONCE) {
        // Before it is asked, so that what changes meanwhile makes it due again.
        list.begin_judging();
        match im.presence().visible(list.watcher, &list.ids()).await {
            Ok(visible) => list.judge(&visible),
            Err(error) => {
                tracing::warn!(%error, "whom clients may see was not found out anew");
                return;
            }
        }
    }
}
