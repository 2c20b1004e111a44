//! Following a run that executes here.

use std::sync::Arc;

use bytes::Bytes;
use lingxi_bus::{Message, Sink, Subject, Subscription};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};

use super::Worker;
use super::active::Active;
use crate::links::pump;

/// Answers requests to follow the run, from when this returns until the subscription is dropped.
pub(super) async fn listen(
    worker: &Arc<Worker>,
    run: &Arc<Active>,
) -> lingxi_bus::Result<Subscription> {
    let sink = Arc::new(Attach {
        worker: worker.clone(),
        run: run.clone(),
    });
    worker
        .bus
        .subscribe(Subject::RunAttach(run.run_id.clone()), None, sink)
        .await
}

/// Begins to send the run's events to a subscriber, from where it stands; or ends that, when it has left.
pub(super) fn follow(worker: &Worker, run: &Arc<Active>, watcher: Watcher) {
    if watcher.gone {
        return run.leave(&watcher.sink_id, watcher.session);
    }
    // Older gateways name an address, which is nobody's word.
    if watcher.node.is_empty() {
        return;
    }
    let Some(stop) = run.follow(&watcher) else {
        return;
    };
    let (subscriber, session) = (watcher.sink_id.clone(), watcher.session);
    let Some(link) = worker.hub.link(&watcher.node) else {
        return run.leave(&subscriber, session);
    };
    let (run, killed) = (run.clone(), worker.killed.clone());
    worker.pumps.spawn(async move {
        tokio::select! {
            () = pump(run.log.clone(), run.attempt, watcher, link) => {}
            () = stop.cancelled() => {}
            () = killed.cancelled() => {}
        }
        run.leave(&subscriber, session);
    });
}

struct Attach {
    worker: Arc<Worker>,
    run: Arc<Active>,
}

impl Sink for Attach {
    fn deliver(&self, _subject: &Subject, message: Message) {
        let Ok(request) = RunRequest::decode(message.payload) else {
            return;
        };
        if let Some(reply) = message.reply {
            reply.reply(Bytes::new());
        }
        if let Some(watcher) = request.watcher {
            follow(&self.worker, &self.run, watcher);
        }
    }
}
