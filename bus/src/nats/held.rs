//! Jobs in a worker's hands.

use std::sync::Arc;
use std::time::Duration;

use async_nats::message::OutboundMessage;
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::link::Link;
use crate::{JobGuard, Result};

/// How often a worker says that it is at it.
const PROGRESS: Duration = Duration::from_secs(1);
/// How long the end of a job is still reported when the connection is down.
const LATE: Duration = Duration::from_secs(30);
/// Pause before it is reported again.
const PAUSE: Duration = Duration::from_millis(200);
const GIVE_BACK: &str = "-NAK";

/// A job in a worker's hands.
pub(super) struct Held(Option<oneshot::Sender<()>>);

impl Held {
    pub(super) fn keep(link: &Arc<Link>, reply: async_nats::Subject) -> Self {
        let (done, ended) = oneshot::channel();
        link.finish(hold(link.clone(), reply, ended));
        Self(Some(done))
    }
}

impl JobGuard for Held {
    fn done(mut self: Box<Self>) {
        if let Some(done) = self.0.take() {
            let _ = done.send(());
        }
    }
}

/// Tells the server that the job is being worked on, and how it ended.
async fn hold(link: Arc<Link>, reply: async_nats::Subject, mut ended: oneshot::Receiver<()>) {
    let done = loop {
        match timeout(PROGRESS, &mut ended).await {
            Ok(done) => break done.is_ok(),
            // Not told: it is told again in a second.
            Err(_) => {
                let _ = tell(&link, &reply, "+WPI").await;
            }
        }
    };
    let word = if done { "+ACK" } else { GIVE_BACK };
    let until = Instant::now() + LATE;
    while tell(&link, &reply, word).await.is_err() && Instant::now() < until {
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tells the server what becomes of a job.
pub(super) async fn tell(
    link: &Link,
    reply: &async_nats::Subject,
    word: &'static str,
) -> Result<()> {
    link.send(OutboundMessage {
        subject: reply.clone(),
        reply: None,
        payload: Bytes::from_static(word.as_bytes()),
        headers: None,
    })
    .await
}
