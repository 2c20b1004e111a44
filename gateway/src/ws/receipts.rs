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
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::syncer;
use crate::state::AppState;

/// Receipts that may wait. The sender of one more is told to try again.
const WAITING: usize = 16_384;
/// Members whose cursors are moved at once.
const BATCH: usize = 1024;
/// How long receipts are gathered before they are committed.
const GATHER: Duration = Duration::from_millis(50);

/// Where read receipts wait.
pub(crate) struct Receipts(mpsc::Sender<Receipt>);

/// The end at which they are taken.
pub(crate) struct Received(mpsc::Receiver<Receipt>);

struct Receipt {
    session: Arc<Session>,
    key: ConversationKey,
    upto: Seq,
}

impl Receipts {
    pub(crate) fn new() -> (Self, Received) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), Received(receiver))
    }
}

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
        let receipt = Receipt {
            session: session.clone(),
            key,
            upto: seq,
        };
        if state.receipts.0.try_send(receipt).is_err() {
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

/// Moves read cursors until `stop`, and then those that still wait.
pub(crate) async fn run(state: AppState, Received(mut waiting): Received, stop: CancellationToken) {
    let mut batch = Vec::new();
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => break,
            received = waiting.recv_many(&mut batch, BATCH) => if received == 0 { break },
        }
        if batch.len() < BATCH {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(GATHER) => {}
            }
        }
        let mut gathered = Gathered::default();
        batch.drain(..).for_each(|receipt| gathered.add(receipt));
        gathered.add_waiting(&mut waiting);
        commit(&state, gathered).await;
    }
    loop {
        let mut gathered = Gathered::default();
        gathered.add_waiting(&mut waiting);
        if gathered.0.is_empty() {
            return;
        }
        commit(&state, gathered).await;
    }
}

async fn commit(state: &AppState, Gathered(gathered): Gathered) {
    let (readings, senders): (Vec<Reading>, Vec<Vec<Arc<Session>>>) = gathered
        .into_values()
        .map(|one| (one.reading, one.senders))
        .unzip();
    let answers = match state.im.messages().mark_many_read(&readings).await {
        Ok(answers) => answers,
        Err(error) => {
            tracing::warn!(%error, members = readings.len(), "read cursors did not move; their clients are told");
            let sessions = senders.iter().flatten();
            sessions.for_each(|session| refuse(session, error.code()));
            return;
        }
    };
    for (sessions, answer) in senders.iter().zip(answers) {
        if let Err(error) = answer {
            sessions
                .iter()
                .for_each(|session| refuse(session, error.code()));
        }
    }
}

/// Receipts of one batch: of each member the farthest.
#[derive(Default)]
struct Gathered(HashMap<(UserId, ConversationKey), Farthest>);

struct Farthest {
    reading: Reading,
    /// Who hears of it when it fails.
    senders: Vec<Arc<Session>>,
}

impl Gathered {
    fn add(&mut self, receipt: Receipt) {
        let Receipt { session, key, upto } = receipt;
        match self.0.entry((session.user_id, key)) {
            Entry::Vacant(slot) => {
                let reading = Reading {
                    actor: Actor::new(session.user_id, session.username.clone()),
                    key,
                    upto: Some(upto),
                };
                slot.insert(Farthest {
                    reading,
                    senders: vec![session],
                });
            }
            Entry::Occupied(mut slot) => {
                let known = slot.get_mut();
                known.reading.upto = known.reading.upto.max(Some(upto));
                if !known.senders.iter().any(|s| Arc::ptr_eq(s, &session)) {
                    known.senders.push(session);
                }
            }
        }
    }

    fn add_waiting(&mut self, waiting: &mut mpsc::Receiver<Receipt>) {
        while self.0.len() < BATCH
            && let Ok(receipt) = waiting.try_recv()
        {
            self.add(receipt);
        }
    }
}
