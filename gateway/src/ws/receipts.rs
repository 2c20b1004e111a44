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
    cursors: Cursors,
    /// Nothing is taken any more: nobody would commit it.
    closed: bool,
}

/// What each member read, and the connections that said so: they hear of it when it fails.
type Cursors = HashMap<(UserId, ConversationKey), (Reading, Vec<Arc<Session>>)>;

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
                let reading = Reading {
                    actor: Actor::new(session.user_id, session.username.clone()),
                    key,
                    upto: Some(upto),
                };
                slot.insert((reading, vec![session.clone()]));
            }
            Entry::Occupied(mut slot) => {
                let (reading, sessions) = slot.get_mut();
                reading.upto = reading.upto.max(Some(upto));
                if !sessions.iter().any(|s| Arc::ptr_eq(s, session)) {
                    sessions.push(session.clone());
                }
            }
        }
        drop(waiting);
        self.some.notify_one();
        true
    }

    fn take_all(&self) -> Cursors {
        std::mem::take(&mut self.waiting.lock().cursors)
    }

    /// Takes no more receipts.
    fn close(&self) {
        self.waiting.lock().closed = true;
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
        commit(&state, state.receipts.take_all()).await;
    }
    state.receipts.close();
    commit(&state, state.receipts.take_all()).await;
}

async fn commit(state: &AppState, cursors: Cursors) {
    let (readings, sessions): (Vec<_>, Vec<_>) = cursors.into_values().unzip();
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
