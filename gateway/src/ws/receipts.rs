//! Type 8: a client says how far it has a conversation, or how far its user has read it.
//!
//! Whoever looks at a conversation reads every message of it, so that there are as many receipts as deliveries: they are
//! gathered for a moment, and committed together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::frame::server;
use lingxi_domain::{ConversationKey, ErrorCode, Seq, UserId};
use lingxi_im::{Actor, Reading};
use lingxi_proto::bus::CursorMove;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::syncer;
use crate::state::AppState;

/// Cursors that may wait to be moved. A receipt for one more is refused.
const WAITING: usize = 16_384;
/// Cursors that are moved in one transaction.
const BATCH: usize = 1024;
/// How long receipts are gathered before they are committed.
const GATHER: Duration = Duration::from_millis(50);

/// Takes a client's receipt.
pub(super) async fn take(
    state: &AppState,
    session: &Arc<Session>,
    conversation: &str,
    seq: Seq,
    read: bool,
) {
    let Ok(key) = conversation.parse::<ConversationKey>() else {
        let message = "conversation: give a key such as d:1:2 or g:42.";
        session.push_plain(server::failed("", ErrorCode::InvalidRequest, message));
        return;
    };
    if read {
        if !state.receipts.add(session, key, seq) {
            refuse(session, ErrorCode::Unavailable);
        }
        return;
    }
    // The client says that it has everything up to here, however it got it.
    let moved = CursorMove {
        conversation: key.to_string(),
        user_id: session.user_id,
        from: 1,
        to: seq,
    };
    syncer::confirm(state, vec![moved]).await;
}

fn refuse(session: &Session, code: ErrorCode) {
    session.push_plain(server::failed("", code, code.message()));
}

/// Read receipts that wait: of each member the farthest.
#[derive(Default)]
pub(crate) struct Receipts {
    waiting: Mutex<Waiting>,
    some: Notify,
}

#[derive(Default)]
struct Waiting {
    cursors: HashMap<(UserId, ConversationKey), Farthest>,
    /// Nothing is taken any more: nobody would commit it.
    closed: bool,
}

struct Farthest {
    upto: Seq,
    /// The connections that said so. They hear of it when it fails.
    sessions: Vec<Arc<Session>>,
}

impl Receipts {
    /// Answers whether it was taken.
    fn add(&self, session: &Arc<Session>, key: ConversationKey, upto: Seq) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return false;
        }
        let full = waiting.cursors.len() >= WAITING;
        match waiting.cursors.entry((session.user_id, key)) {
            Entry::Vacant(_) if full => return false,
            Entry::Vacant(slot) => {
                let sessions = vec![session.clone()];
                slot.insert(Farthest { upto, sessions });
            }
            Entry::Occupied(mut slot) => {
                let known = slot.get_mut();
                known.upto = known.upto.max(upto);
                if !known.sessions.iter().any(|s| Arc::ptr_eq(s, session)) {
                    known.sessions.push(session.clone());
                }
            }
        }
        drop(waiting);
        self.some.notify_one();
        true
    }

    /// Everything that waits; with `last`, nothing is taken from here on.
    fn take(&self, last: bool) -> HashMap<(UserId, ConversationKey), Farthest> {
        let mut waiting = self.waiting.lock();
        waiting.closed = last;
        std::mem::take(&mut waiting.cursors)
    }
}

/// Moves read cursors until `stop`, and then those that still wait.
pub(crate) async fn run(state: AppState, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            () = state.receipts.some.notified() => {}
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(GATHER) => {}
        }
        commit(&state, state.receipts.take(false)).await;
    }
    commit(&state, state.receipts.take(true)).await;
}

async fn commit(state: &AppState, cursors: HashMap<(UserId, ConversationKey), Farthest>) {
    let (readings, sessions): (Vec<Reading>, Vec<Vec<Arc<Session>>>) = cursors
        .into_iter()
        .filter_map(|((_, key), Farthest { upto, sessions })| {
            let reader = sessions.first()?;
            let reading = Reading {
                actor: Actor::new(reader.user_id, reader.username.clone()),
                key,
                upto: Some(upto),
            };
            Some((reading, sessions))
        })
        .unzip();
    for (readings, sessions) in readings.chunks(BATCH).zip(sessions.chunks(BATCH)) {
        match state.im.messages().mark_many_read(readings).await {
            Ok(answers) => {
                for (sessions, answer) in sessions.iter().zip(answers) {
                    if let Err(error) = answer {
                        sessions.iter().for_each(|s| refuse(s, error.code()));
                    }
                }
            }
            Err(error) => {
                let sessions = sessions.iter().flatten();
                sessions.for_each(|session| refuse(session, error.code()));
            }
        }
    }
}
