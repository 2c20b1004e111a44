//! Sessions that wait for a round from the store, each at most once.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::ws::close::Close;
use crate::ws::session::Session;

/// Sessions of one round.
const SESSIONS: usize = 256;
/// Sessions that wait. One more has to reconnect.
const WAITING: usize = 65_536;

/// Where rounds are asked for. A session stands in it once, however often and by whomever it is asked for. Those whose
/// rounds take long stand in a line of their own, so that the others do not wait for them.
#[derive(Clone)]
pub(crate) struct ResyncQueue {
    quick: mpsc::Sender<Arc<Session>>,
    heavy: mpsc::Sender<Arc<Session>>,
}

/// One end at which rounds are served.
pub(crate) struct Asked {
    line: mpsc::Receiver<Arc<Session>>,
    /// Sessions of one round.
    at_once: usize,
}

impl ResyncQueue {
    /// The queue, and its two ends: of many sessions a round, and of one.
    pub(crate) fn new() -> (Self, [Asked; 2]) {
        let line = |at_once| {
            let (ask, line) = mpsc::channel(WAITING);
            (ask, Asked { line, at_once })
        };
        let ((quick, many), (heavy, one)) = (line(SESSIONS), line(1));
        (Self { quick, heavy }, [many, one])
    }

    /// Asks for a round that begins after this call.
    pub(crate) fn ask(&self, session: &Arc<Session>) {
        if !session.enter_resync_queue() {
            return;
        }
        let line = if session.is_heavy() {
            &self.heavy
        } else {
            &self.quick
        };
        if line.try_send(session.clone()).is_err() {
            session.leave_resync_queue();
            session.close(Close::TryAgain);
        }
    }
}

impl Asked {
    /// The sessions of the next round, which may be asked for again from here on; those that have ended are left out.
    /// `None` when every handle to the queue is gone.
    pub(crate) async fn next(&mut self) -> Option<Vec<Arc<Session>>> {
        let mut sessions = Vec::with_capacity(self.at_once);
        if self.line.recv_many(&mut sessions, self.at_once).await == 0 {
            return None;
        }
        sessions.iter().for_each(|s| s.leave_resync_queue());
        sessions.retain(|s| !s.has_ended());
        Some(sessions)
    }
}
