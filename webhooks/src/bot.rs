//! What is due for one bot's webhook: a few conversations at a time, each in order.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lingxi_store::{DueDelivery, Lane, Lanes};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::cursors::Told;
use crate::deps::{Hook, Shared};
use crate::lane::{self, End};
use crate::single;

/// How often everything is compared with the store; the first time again after a shorter while, for hints that were not sent
/// yet when the webhook was set.
const COMPARE: Duration = Duration::from_secs(10);
const COMPARE_AGAIN: Duration = Duration::from_secs(2);
/// How soon another comparison is made for what waits for its time, at the soonest.
const LEAST: Duration = Duration::from_millis(200);
/// What one comparison finds, at most.
const FOUND: usize = 256;
/// Conversations that may be asked for, and what may be ready; beyond, comparisons find it.
const WAITING: usize = 1_024;
/// After something of ours failed.
const PAUSE: Duration = Duration::from_secs(1);
/// By the database's clock it is due a little later.
const SLACK: Duration = Duration::from_millis(20);
/// How long attempts under way are waited for when this ends.
const GRACE: Duration = Duration::from_secs(5);

/// What is worked on.
enum Task {
    Lane(Lane),
    Single(DueDelivery),
}

/// By what it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Lane(String),
    Single(i64),
}

impl Task {
    fn key(&self) -> Key {
        match self {
            Self::Lane(lane) => Key::Lane(lane.conversation.clone()),
            Self::Single(due) => Key::Single(due.message_id),
        }
    }
}

/// Delivers to one webhook until its `stop`.
pub(crate) struct Bot {
    pub(crate) shared: Arc<Shared>,
    pub(crate) hook: Arc<Hook>,
    /// Conversations in which something was said.
    pub(crate) hints: mpsc::Receiver<String>,
    /// Everything is to be compared with the store.
    pub(crate) compare: Arc<Notify>,
}

struct Work {
    /// Conversations to be looked at.
    asked: BTreeSet<String>,
    ready: VecDeque<Task>,
    /// What is ready or under way: nothing is there twice.
    busy: HashSet<Key>,
    compare_at: Instant,
    /// Where the next comparison goes on.
    after: String,
    compared: bool,
}

impl Work {
    fn wake(&mut self, wait: Duration) {
        self.compare_at = self.compare_at.min(Instant::now() + wait);
    }

    fn ask(&mut self, conversation: String) {
        if self.asked.len() < WAITING {
            self.asked.insert(conversation);
        } else {
            self.wake(PAUSE);
        }
    }

    fn add(&mut self, task: Task) {
        if self.busy.insert(task.key()) {
            self.ready.push_back(task);
        }
    }

    fn add_lanes(&mut self, lanes: Vec<Lane>, told: &Told) {
        let left = lanes.into_iter().filter_map(|lane| told.left_of(lane));
        left.for_each(|lane| self.add(Task::Lane(lane)));
    }

    fn ended(&mut self, key: Key, end: End) {
        self.busy.remove(&key);
        match (end, key) {
            (End::More, Key::Lane(conversation)) => self.ask(conversation),
            (End::Wait(wait), _) => self.wake(wait + SLACK),
            (End::Again, _) => self.wake(PAUSE),
            _ => {}
        }
    }
}

impl Bot {
    pub(crate) async fn serve(mut self) {
        let mut work = Work {
            asked: BTreeSet::new(),
            ready: VecDeque::new(),
            busy: HashSet::new(),
            compare_at: Instant::now(),
            after: String::new(),
            compared: false,
        };
        let mut running = FuturesUnordered::new();
        let stop = self.hook.stop.clone();
        while !stop.is_cancelled() {
            if Instant::now() >= work.compare_at {
                self.compare(&mut work).await;
            }
            self.look(&mut work).await;
            let width = match self.hook.failing.load(Ordering::Relaxed) {
                true => 1,
                false => self.shared.per_bot,
            };
            while running.len() < width
                && let Some(task) = work.ready.pop_front()
            {
                running.push(run(self.shared.clone(), self.hook.clone(), task));
            }
            let compare_at = work.compare_at;
            tokio::select! {
                () = stop.cancelled() => break,
                hint = self.hints.recv() => match hint {
                    Some(conversation) => {
                        work.ask(conversation);
                        while let Ok(another) = self.hints.try_recv() {
                            work.ask(another);
                        }
                    }
                    None => break,
                },
                Some((key, end)) = running.next(), if !running.is_empty() => {
                    if end == End::Over {
                        stop.cancel();
                    }
                    work.ended(key, end);
                }
                () = self.compare.notified() => work.wake(Duration::ZERO),
                () = tokio::time::sleep_until(compare_at) => {}
            }
        }
        let left = async { while running.next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, left).await;
    }

    /// Looks at the conversations that were asked for, but for those that are at work.
    async fn look(&self, work: &mut Work) {
        if work.ready.len() >= WAITING {
            return;
        }
        let free = |conversation: &&String| {
            let key = Key::Lane((*conversation).clone());
            !work.busy.contains(&key)
        };
        let asked: Vec<String> = work.asked.iter().filter(free).cloned().collect();
        if asked.is_empty() {
            return;
        }
        let keys: Vec<&str> = asked.iter().map(String::as_str).collect();
        let bot = self.hook.bot();
        let told = self.shared.cursors.told(bot);
        match self.shared.store.webhook_lanes(bot, &keys).await {
            Ok(lanes) => work.add_lanes(lanes, &told),
            Err(error) => {
                tracing::warn!(%error, "what is due for a webhook cannot be read");
                work.after.clear();
                work.wake(PAUSE);
            }
        }
        for conversation in &asked {
            work.asked.remove(conversation);
        }
    }

    /// Finds what is due, a part at a time, and when to look again.
    async fn compare(&self, work: &mut Work) {
        let now = Instant::now();
        let next = if work.compared {
            COMPARE
        } else {
            COMPARE_AGAIN
        };
        work.compare_at = now + next;
        if work.ready.len() >= FOUND {
            work.wake(PAUSE);
            return;
        }
        let bot = self.hook.bot();
        let told = self.shared.cursors.told(bot);
        let due = self.shared.store.webhook_due(bot, &work.after, FOUND);
        let Lanes {
            lanes,
            deliveries,
            next_ms,
        } = match due.await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "what is due for a webhook cannot be read");
                work.wake(PAUSE);
                return;
            }
        };
        work.compared = true;
        work.after.clear();
        if lanes.len() >= FOUND
            && let Some(last) = lanes.last()
        {
            work.after.clone_from(&last.conversation);
            work.wake(PAUSE);
        }
        if deliveries.len() >= FOUND {
            work.wake(PAUSE);
        }
        if let Some(wait) = next_ms {
            work.wake(lane::millis(wait).max(LEAST) + SLACK);
        }
        work.add_lanes(lanes, &told);
        deliveries
            .into_iter()
            .for_each(|due| work.add(Task::Single(due)));
    }
}

async fn run(shared: Arc<Shared>, hook: Arc<Hook>, task: Task) -> (Key, End) {
    let key = task.key();
    let end = match task {
        Task::Lane(lane) => lane::run(&shared, &hook, lane).await,
        Task::Single(due) => single::run(&shared, &hook, due).await,
    };
    (key, end)
}
