//! Read receipts on their way to the store.
//!
//! Whoever looks at a conversation reads every message of it, so that there are as many receipts as deliveries: they are
//! gathered for a moment, and committed together.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::frame::server;
use lingxi_domain::{ConversationKey, ErrorCode, Seq, UserId};
use lingxi_im::{Actor, Im, Reading};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::session::Session;

/// Cursors that may wait to be moved. A receipt for one more is refused.
const WAITING: usize = 16_384;
/// Cursors that are moved in one transaction.
const BATCH: usize = 1024;
/// Connections of one user that hear of a refusal: as many as somebody has at a time.
const TOLD: usize = 16;
/// How long receipts are gathered before they are committed.
const GATHER: Duration = Duration::from_millis(50);

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
    /// Takes a receipt to commit it soon; returns true if it was taken.
    pub(super) fn add(&self, session: &Arc<Session>, key: ConversationKey, upto: Seq) -> bool {
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
                if sessions.len() < TOLD && !sessions.iter().any(|s| Arc::ptr_eq(s, session)) {
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
pub(crate) async fn run(receipts: Arc<Receipts>, im: Im, stop: CancellationToken) {
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            () = receipts.some.notified() => {}
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(GATHER) => {}
        }
        commit(&im, receipts.take_all()).await;
    }
    receipts.close();
    commit(&im, receipts.take_all()).await;
}

async fn commit(im: &Im, cursors: Cursors) {
    let (readings, sessions): (Vec<_>, Vec<_>) = cursors.into_values().unzip();
    for (readings, sessions) in readings.chunks(BATCH).zip(sessions.chunks(BATCH)) {
        match im.messages().mark_many_read(readings).await {
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
