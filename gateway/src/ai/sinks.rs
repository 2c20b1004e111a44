//! Who follows runs at this gateway.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_proto::sink::AiEvent;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Events that may wait for a client to take them.
const QUEUE: usize = 512;

/// The followers of this gateway by name. An event goes to one of them or nowhere; none ever waits, so that a client
/// that does not read holds nobody up: its stream ends, and it resumes.
#[derive(Default)]
pub(crate) struct Sinks {
    senders: Mutex<HashMap<String, mpsc::Sender<AiEvent>>>,
}

/// A follower's end; leaves the table when dropped.
pub(crate) struct Sink {
    pub(crate) id: String,
    events: mpsc::Receiver<AiEvent>,
    sinks: Arc<Sinks>,
}

impl Sinks {
    /// A new follower.
    pub(crate) fn register(self: &Arc<Self>) -> Sink {
        let id = uuid::Uuid::now_v7().simple().to_string();
        let (sender, events) = mpsc::channel(QUEUE);
        self.senders.lock().insert(id.clone(), sender);
        metrics::gauge!("lingxi_ai_followers").increment(1);
        Sink {
            id,
            events,
            sinks: self.clone(),
        }
    }

    /// Hands an event to its follower. One whose queue is full is let go: it gets what is queued, then its end.
    pub(crate) fn deliver(&self, event: AiEvent) {
        let mut senders = self.senders.lock();
        let Some(sender) = senders.get(&event.sink_id) else {
            return;
        };
        match sender.try_send(event) {
            Ok(()) => {}
            Err(TrySendError::Full(event)) => {
                senders.remove(&event.sink_id);
                metrics::counter!("lingxi_ai_followers_overflowed_total").increment(1);
            }
            Err(TrySendError::Closed(event)) => {
                senders.remove(&event.sink_id);
            }
        }
    }
}

impl Sink {
    /// The next event; `None` once the follower was let go.
    pub(crate) async fn next(&mut self) -> Option<AiEvent> {
        self.events.recv().await
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.sinks.senders.lock().remove(&self.id);
        metrics::gauge!("lingxi_ai_followers").decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sink: &Sink, event_id: i64) -> AiEvent {
        AiEvent {
            sink_id: sink.id.clone(),
            event_id,
            ..AiEvent::default()
        }
    }

    #[tokio::test]
    async fn events_go_to_their_follower_only() {
        let sinks = Arc::new(Sinks::default());
        let (mut one, mut two) = (sinks.register(), sinks.register());
        sinks.deliver(event(&two, 2));
        sinks.deliver(event(&one, 1));
        assert_eq!(one.next().await.unwrap().event_id, 1);
        assert_eq!(two.next().await.unwrap().event_id, 2);
        let gone = event(&one, 3);
        drop(one);
        sinks.deliver(gone);
        assert_eq!(sinks.senders.lock().len(), 1);
    }

    #[tokio::test]
    async fn a_follower_that_takes_nothing_is_let_go() {
        let sinks = Arc::new(Sinks::default());
        let mut slow = sinks.register();
        for n in 0..QUEUE + 10 {
            sinks.deliver(event(&slow, i64::try_from(n).unwrap()));
        }
        for _ in 0..QUEUE {
            assert!(slow.next().await.is_some());
        }
        assert!(slow.next().await.is_none());
    }
}
