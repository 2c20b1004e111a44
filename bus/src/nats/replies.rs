//! Answers to what this process asked: one wildcard subscription, and a table of who waits for which.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures_util::StreamExt as _;
use lingxi_runtime::shutdown::Tasks;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::headers;

/// How long an answer of another listener is awaited after one gave up.
const SECOND_CHANCE: Duration = Duration::from_millis(100);

/// The table. It has an entry per request in flight, which goes when the request ends, however it does.
pub(super) struct Replies {
    prefix: String,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Message>>>,
    tasks: Tasks,
}

/// An answer that is awaited. Dropped, its entry goes.
pub(crate) struct Awaited {
    replies: Arc<Replies>,
    token: u64,
    answer: oneshot::Receiver<Message>,
}

impl Replies {
    pub(super) fn new(tasks: Tasks) -> Arc<Self> {
        Arc::new(Self {
            prefix: format!("_INBOX.{:032x}", rand::random::<u128>()),
            next: AtomicU64::new(0),
            waiting: Mutex::default(),
            tasks,
        })
    }

    /// The subject that takes all of them.
    pub(super) fn wildcard(&self) -> String {
        format!("{}.*", self.prefix)
    }

    /// A fresh subject, and what comes back on it.
    pub(super) fn expect(self: &Arc<Self>) -> (String, Awaited) {
        let token = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting.lock().insert(token, sender);
        let awaited = Awaited {
            replies: self.clone(),
            token,
            answer,
        };
        (format!("{}.{token:x}", self.prefix), awaited)
    }

    /// A subject whose answers nobody waits for.
    pub(super) fn nobody(&self) -> String {
        format!("{}.none", self.prefix)
    }

    /// How many requests are in flight.
    pub(super) fn len(&self) -> usize {
        self.waiting.lock().len()
    }

    /// No answer will come any more to what was asked so far.
    pub(super) fn fail_all(&self) {
        let gone = std::mem::take(&mut *self.waiting.lock());
        drop(gone);
    }

    /// Hands answers to those who wait, as long as the connection lives.
    pub(super) async fn distribute(self: Arc<Self>, mut answers: Subscriber) {
        while let Some(message) = answers.next().await {
            let token = message.subject.as_str().rsplit('.').next();
            let Some(token) = token.and_then(|t| u64::from_str_radix(t, 16).ok()) else {
                continue;
            };
            if headers::is_gave_up(message.headers.as_ref()) {
                // The first answer counts, and giving up is none: another listener may still have one.
                let replies = self.clone();
                self.tasks.spawn(async move {
                    tokio::time::sleep(SECOND_CHANCE).await;
                    replies.take(token);
                });
            } else if let Some(waiting) = self.take(token) {
                let _ = waiting.send(message);
            }
        }
    }

    fn take(&self, token: u64) -> Option<oneshot::Sender<Message>> {
        self.waiting.lock().remove(&token)
    }
}

impl Awaited {
    /// The answer; `None` when none will come.
    pub(super) async fn answer(mut self) -> Option<Message> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.replies.take(self.token);
    }
}
