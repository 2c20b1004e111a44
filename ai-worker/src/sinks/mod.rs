//! Where events go: one stream of them to each gateway, shared by all runs that are followed there.

mod link;
mod pump;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lingxi_proto::sink::AiEvent;
use lingxi_runtime::config::Secret;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use pump::pump;

/// Events that may wait for a gateway to take them.
const LINK_QUEUE: usize = 256;
/// How long a follower may take to take an event before it is dropped; it may attach again.
const STUCK: Duration = Duration::from_secs(5);

/// The streams to gateways. They are made when first needed, and anew after one broke.
pub(crate) struct Hub {
    links: Mutex<HashMap<String, mpsc::Sender<AiEvent>>>,
    cluster_token: Option<Secret>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Hub {
    /// Streams end at once when `stop` is cancelled.
    pub(crate) fn new(cluster_token: Option<Secret>, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            links: Mutex::default(),
            cluster_token,
            tasks: TaskTracker::new(),
            stop,
        })
    }

    /// The stream to the gateway at `address` (host:port). What is sent into one that broke is lost: its receiver is
    /// gone, and followers attach again.
    pub(crate) fn link(&self, address: &str) -> mpsc::Sender<AiEvent> {
        let mut links = self.links.lock();
        if let Some(link) = links.get(address).filter(|link| !link.is_closed()) {
            return link.clone();
        }
        links.retain(|_, link| !link.is_closed());
        let (sender, receiver) = mpsc::channel(LINK_QUEUE);
        links.insert(address.to_owned(), sender.clone());
        let (address, token, stop) = (
            address.to_owned(),
            self.cluster_token.clone(),
            self.stop.clone(),
        );
        self.tasks.spawn(async move {
            tokio::select! {
                () = link::run(&address, token.as_ref(), receiver) => {}
                () = stop.cancelled() => {}
            }
        });
        sender
    }

    /// Ends every stream once what was sent has gone out, waiting for that no longer than `patience`.
    pub(crate) async fn close(&self, patience: Duration) {
        self.links.lock().clear();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_err()
        {
            self.stop.cancel();
            self.tasks.wait().await;
        }
    }
}
