//! Sessions that wait for a round from the store, each at most once.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::session::Session;

/// Sessions of one round.
const SESSIONS: usize = 256;

/// Where rounds are asked for. It needs no bound: a session stands in it once, however often and by whomever it is asked
/// for, so that it is no longer than the gateway has connections.
#[derive(Clone)]
pub(crate) struct SyncQueue(mpsc::UnboundedSender<Arc<Session>>);

/// The end at which rounds are served.
pub(crate) struct Asked(mpsc::UnboundedReceiver<Arc<Session>>);

impl SyncQueue {
    pub(crate) fn new() -> (Self, Asked) {
        let (asking, asked) = mpsc::unbounded_channel();
        (Self(asking), Asked(asked))
    }

    /// Asks for a round that begins after this call.
    pub(crate) fn ask(&self, session: &Arc<Session>) {
        if session.enter_sync_queue() {
            let _ = self.0.send(session.clone());
        }
    }
}

impl Asked {
    /// The sessions of the next round, which may be asked for again from here on; those that have ended are left out.
    /// `None` when every handle to the queue is gone.
    pub(crate) async fn next(&mut self) -> Option<Vec<Arc<Session>>> {
        let mut sessions = Vec::with_capacity(SESSIONS);
        if self.0.recv_many(&mut sessions, SESSIONS).await == 0 {
            return None;
        }
        sessions.iter().for_each(|s| s.leave_sync_queue());
        sessions.retain(|s| !s.has_ended());
        Some(sessions)
    }
}
