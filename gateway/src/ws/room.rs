//! Room for those who read: where little of the budget is left, the largest queues are closed.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::queues::Queues;
use super::registry::Registry;
use super::session::Session;

/// Closes the largest queues until enough is left. Where something else than sockets holds the budget they keep a
/// quarter of it.
pub(super) fn make_room(queues: &Queues, sessions: &[Arc<Session>]) {
    if queues.budget.held() <= queues.high() {
        return;
    }
    let sized = |session| (Session::waiting_bytes(session), session);
    let mut largest: Vec<(usize, &Session)> = sessions.iter().map(Arc::as_ref).map(sized).collect();
    largest.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let mut waiting: usize = largest.iter().map(|(bytes, _)| bytes).sum();
    let mut held = queues.budget.held();
    for (bytes, session) in largest {
        if held <= queues.low() || waiting <= queues.budget.most() / 4 || bytes == 0 {
            break;
        }
        tracing::warn!(
            bytes,
            user = session.user_id,
            "a queue is closed to make room for others"
        );
        session.overflow();
        held = held.saturating_sub(bytes);
        waiting -= bytes;
    }
}

/// Makes room whenever little is left, until `stop`.
pub(crate) async fn run(queues: Arc<Queues>, sessions: Arc<Registry>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = queues.tight.notified() => make_room(&queues, &sessions.all()),
        }
    }
}
