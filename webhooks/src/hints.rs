//! Hints that something was said where bots are.

use std::sync::Arc;

use lingxi_bus::{Message, SharedBus, Sink, Subject, Subscription};
use lingxi_proto::Message as _;
use lingxi_proto::bus::WebhookHint;
use tokio::sync::{Notify, mpsc};

/// Hints that may wait; beyond, everything is compared with the store instead.
const WAITING: usize = 4_096;

/// The end where hints arrive.
pub(crate) struct Hints {
    pub(crate) received: mpsc::Receiver<WebhookHint>,
    /// Hints were dropped.
    pub(crate) dropped: Arc<Notify>,
    _listening: Subscription,
}

struct Received {
    queue: mpsc::Sender<WebhookHint>,
    dropped: Arc<Notify>,
}

impl Sink for Received {
    fn deliver(&self, _: &Subject, message: Message) {
        let Ok(hint) = WebhookHint::decode(message.payload) else {
            return;
        };
        if self.queue.try_send(hint).is_err() {
            self.dropped.notify_one();
        }
    }
}

/// Listens from now on.
pub(crate) async fn listen(bus: &SharedBus) -> Result<Hints, lingxi_bus::Error> {
    let (queue, received) = mpsc::channel(WAITING);
    let dropped = Arc::new(Notify::new());
    let sink = Received {
        queue,
        dropped: dropped.clone(),
    };
    let listening = bus
        .subscribe(Subject::Webhooks, None, Arc::new(sink))
        .await?;
    Ok(Hints {
        received,
        dropped,
        _listening: listening,
    })
}
