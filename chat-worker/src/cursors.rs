//! Moves delivered cursors: what clients confirmed is gathered, and committed in coalesced batches.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::{Message, Sink, Subject};
use lingxi_domain::{Seq, UserId};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{CursorMove as Wire, CursorMoves};
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{CursorMove, Store};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::Deps;
use lingxi_runtime::outage::Outage;

/// Moves that may wait. More are dropped: an unmoved cursor means that an entry is pushed once more, never that one is
/// missed.
const WAITING: usize = 65_536;
/// How long moves are gathered before they are committed.
const GATHER: Duration = Duration::from_millis(250);
/// Moves of one transaction.
const BATCH: usize = 4096;

/// Takes what clients confirmed in the partitions that are owned here.
pub(crate) struct CursorSink(mpsc::Sender<Wire>);

impl Sink for CursorSink {
    fn deliver(&self, _: &Subject, message: Message) {
        let Ok(CursorMoves { moves }) = CursorMoves::decode(message.payload) else {
            return;
        };
        for wire in moves {
            let _ = self.0.try_send(wire);
        }
    }
}

/// Starts the task that moves cursors; it ends, with everything committed, when `shutdown` is triggered. The returned
/// sink listens to the partitions that are owned: one worker gets all moves of a member, in order.
pub(crate) fn start(deps: &Deps, shutdown: &Shutdown) -> Arc<CursorSink> {
    let (sender, mut waiting) = mpsc::channel(WAITING);
    let sink = Arc::new(CursorSink(sender));
    let store = deps.store.clone();
    let stop = shutdown.token();
    shutdown.spawn("cursor moves", async move {
        let mut gathered = Gathered::default();
        let mut outage = Outage::of("moving cursors");
        let mut batch = Vec::with_capacity(BATCH);
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => break,
                received = waiting.recv_many(&mut batch, BATCH) => if received == 0 { break },
            }
            batch.drain(..).for_each(|wire| gathered.add(wire));
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(GATHER) => {}
            }
            gather_all(&mut waiting, &mut gathered);
            commit(&store, &mut outage, gathered.take()).await;
        }
        gather_all(&mut waiting, &mut gathered);
        commit(&store, &mut outage, gathered.take()).await;
    });
    sink
}

fn gather_all(waiting: &mut mpsc::Receiver<Wire>, gathered: &mut Gathered) {
    while gathered.len() < BATCH
        && let Ok(wire) = waiting.try_recv()
    {
        gathered.add(wire);
    }
}

/// What does not move is pushed once more, and confirmed again.
async fn commit(store: &Store, outage: &mut Outage, moves: Vec<CursorMove>) {
    if moves.is_empty() {
        return;
    }
    match store.move_cursors(&moves).await {
        Ok(_) => outage.over(Instant::now()),
        Err(error) => outage.failed(Instant::now(), &error),
    }
}

/// Moves of different members, adjoining ones made one.
#[derive(Default)]
struct Gathered {
    latest: HashMap<(String, UserId), (Seq, Seq)>,
    /// Moves that did not adjoin the one before them, in order.
    apart: Vec<CursorMove>,
}

impl Gathered {
    fn len(&self) -> usize {
        self.latest.len() + self.apart.len()
    }

    fn add(&mut self, wire: Wire) {
        let (from, to) = (wire.from, wire.to);
        match self.latest.entry((wire.conversation, wire.user_id)) {
            Entry::Vacant(slot) => {
                slot.insert((from, to));
            }
            Entry::Occupied(mut slot) => {
                let known = slot.get_mut();
                if from <= known.1.saturating_add(1) && to >= known.0.saturating_sub(1) {
                    *known = (known.0.min(from), known.1.max(to));
                } else {
                    let before = std::mem::replace(known, (from, to));
                    let (conversation, user_id) = slot.key().clone();
                    self.apart.push(CursorMove {
                        conversation,
                        user_id,
                        from: before.0,
                        to: before.1,
                    });
                }
            }
        }
    }

    /// Everything gathered, moves of the same member in the order they came.
    fn take(&mut self) -> Vec<CursorMove> {
        let mut moves = std::mem::take(&mut self.apart);
        moves.extend(
            self.latest
                .drain()
                .map(|((conversation, user_id), (from, to))| CursorMove {
                    conversation,
                    user_id,
                    from,
                    to,
                }),
        );
        moves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(user_id: UserId, from: Seq, to: Seq) -> Wire {
        Wire {
            conversation: "g:1".into(),
            user_id,
            from,
            to,
        }
    }

    #[test]
    fn adjoining_moves_become_one_and_others_stay_apart_in_order() {
        let mut gathered = Gathered::default();
        for (from, to) in [(1, 3), (4, 4), (3, 6), (9, 9), (10, 12)] {
            gathered.add(wire(7, from, to));
        }
        gathered.add(wire(8, 1, 1));
        let mut moves: Vec<_> = gathered
            .take()
            .into_iter()
            .map(|m| (m.user_id, m.from, m.to))
            .collect();
        assert_eq!(moves[0], (7, 1, 6), "what came first goes first");
        moves.sort_unstable();
        assert_eq!(moves, [(7, 1, 6), (7, 9, 12), (8, 1, 1)]);
        assert_eq!(gathered.len(), 0);
    }
}
