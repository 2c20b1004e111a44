//! The links that stand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lingxi_proto::sink::AiEvent;
use lingxi_runtime::config::Secret;
use lingxi_store::Store;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link;

/// Events that may wait for a gateway to take them.
const LINK_QUEUE: usize = 256;
/// Links at a time: more gateways than anybody has.
const MAX_LINKS: usize = 4096;

/// The links to gateways. They are made when first needed, and anew after one broke.
pub(crate) struct Hub {
    links: Mutex<HashMap<String, mpsc::Sender<AiEvent>>>,
    store: Store,
    cluster_token: Option<Secret>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Hub {
    /// Links end at once when `stop` is cancelled.
    pub(crate) fn new(
        store: Store,
        cluster_token: Option<Secret>,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            links: Mutex::default(),
            store,
            cluster_token,
            tasks: TaskTracker::new(),
            stop,
        })
    }

    /// The link to a gateway, by the name under which it is registered in the store; nothing where there are too many.
    /// What is sent into one that broke is lost: its receiver is gone, and subscribers attach again.
    pub(crate) fn link(&self, node: &str) -> Option<mpsc::Sender<AiEvent>> {
        let mut links = self.links.lock();
        if let Some(link) = links.get(node).filter(|link| !link.is_closed()) {
            return Some(link.clone());
        }
        links.retain(|_, link| !link.is_closed());
        if links.len() >= MAX_LINKS {
            return None;
        }
        let (sender, receiver) = mpsc::channel(LINK_QUEUE);
        links.insert(node.to_owned(), sender.clone());
        let (node, store, stop) = (node.to_owned(), self.store.clone(), self.stop.clone());
        let token = self.cluster_token.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = link::run(&store, &node, token.as_ref(), receiver) => {}
                () = stop.cancelled() => {}
            }
        });
        Some(sender)
    }

    /// Ends every link once what was sent has gone out, waiting for that no longer than `patience`.
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
