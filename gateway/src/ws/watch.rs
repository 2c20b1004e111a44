//! What a gateway looks after as long as it runs: comparisons with the store, presence, token versions, lost messages.

use std::sync::Arc;
use std::time::Duration;

use lingxi_runtime::outage::Outage;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::session::Session;
use crate::state::AppState;

/// How long a user counts as online without being refreshed.
pub(crate) const PRESENCE_TTL: Duration = Duration::from_secs(60);
const PRESENCE_REFRESH: Duration = Duration::from_secs(20);
/// Every connection is compared with the store this often.
const COMPARISON: Duration = Duration::from_secs(30);
const TOKEN_POLL: Duration = Duration::from_millis(500);
/// Users of one presence update.
const CHUNK: usize = 1000;

/// Looks after the gateway until it stops.
pub(crate) async fn run(state: AppState) {
    let mut new = ticks(Duration::from_millis(500));
    let mut all = ticks(COMPARISON);
    let mut presence = ticks(PRESENCE_REFRESH);
    let mut tokens = ticks(TOKEN_POLL);
    let mut polling = Outage::of("polling token versions");
    let mut losses = state.bus.losses();
    losses.mark_unchanged();
    loop {
        tokio::select! {
            () = state.stopping.cancelled() => return,
            _ = new.tick() => compare(&state, &state.comparisons.take_due()),
            _ = all.tick() => compare(&state, &state.sessions.all()),
            _ = presence.tick() => refresh_presence(&state).await,
            _ = tokens.tick() => poll_tokens(&state, &mut polling).await,
            lost = losses.changed() => match lost {
                Ok(()) => {
                    #[cfg(feature = "sabotage")]
                    if crate::sabotage::planted("no-resync-after-reconnect") {
                        continue;
                    }
                    tracing::warn!("the bus may have lost messages; every connection is compared with the store");
                    let sessions = state.sessions.all();
                    sessions.iter().for_each(|session| session.begin_sync());
                    ask_all(&state, &sessions);
                    state.sessions.announce_all().await;
                }
                Err(_) => return,
            },
        }
    }
}

/// Comparisons would make up for these planted faults in the end.
#[cfg(feature = "sabotage")]
fn no_comparison() -> bool {
    ["no-resync-after-reconnect", "no-repush-after-takeover"]
        .into_iter()
        .any(crate::sabotage::planted)
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn compare(state: &AppState, sessions: &[Arc<Session>]) {
    #[cfg(feature = "sabotage")]
    if no_comparison() {
        return;
    }
    ask_all(state, sessions);
}

fn ask_all(state: &AppState, sessions: &[Arc<Session>]) {
    sessions
        .iter()
        .for_each(|session| state.resync.ask(session));
}

async fn refresh_presence(state: &AppState) {
    for users in state.sessions.user_ids().chunks(CHUNK) {
        if let Err(error) = state
            .cache
            .refresh_presence(&state.node, users, PRESENCE_TTL)
            .await
        {
            tracing::debug!(%error, "presence was not refreshed");
            return;
        }
    }
}

/// Token versions travel as events; what an event missed is found here.
async fn poll_tokens(state: &AppState, outage: &mut Outage) {
    let users = state.sessions.user_ids();
    if users.is_empty() || outage.rests(Instant::now()) {
        return;
    }
    match state.store.token_versions(&users).await {
        Ok(versions) => {
            outage.over(Instant::now());
            for (user, version, barred) in versions {
                state
                    .sessions
                    .expire_tokens(user, if barred { i64::MAX } else { version });
            }
        }
        Err(error) => outage.failed(Instant::now(), &error),
    }
}
