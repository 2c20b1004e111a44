//! Streams end with the token that opened them.

use std::collections::HashMap;
use std::time::Duration;

use crate::state::AppState;

/// As often as sockets are looked at.
const POLL: Duration = Duration::from_millis(500);

/// Looks after the open streams until the gateway stops: one query for all of them.
pub(crate) async fn run(state: AppState) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = state.stopping.cancelled() => return,
        }
        state.subscribers.end_expired();
        let users = state.subscribers.users();
        if users.is_empty() {
            continue;
        }
        match state.store.token_versions(&users).await {
            Ok(versions) => {
                let known = versions.into_iter();
                let known =
                    known.map(|(user, version, barred)| (user, (!barred).then_some(version)));
                let known: HashMap<_, _> = known.collect();
                for user in users {
                    let version = known.get(&user).copied().flatten();
                    state.subscribers.end_other_versions(user, version);
                }
            }
            // A store that is away says nothing about tokens.
            Err(error) => tracing::warn!(%error, "cannot poll the token versions of streams"),
        }
    }
}
