//! Which webhooks this process delivers to: takes those that nobody has, keeps their leases, starts and ends their tasks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::UserId;
use lingxi_proto::bus::WebhookHint;
use lingxi_runtime::outage::Outage;
use lingxi_runtime::shutdown::{Shutdown, Tasks};
use lingxi_store::HeldWebhook;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::bot::Bot;
use crate::deps::{Hook, Shared};
use crate::hints::Hints;

/// How long a lease holds without being renewed.
const TTL_MS: i64 = 6_000;
/// How long leases hold at least that were looked at: they are renewed when a third of their time has passed.
const SURE: Duration = Duration::from_secs(4);
/// How often leases are looked at, and those looked for that are free.
const LOOK: Duration = Duration::from_millis(500);
/// Webhooks that are taken at a time, so that processes which start together share them.
const TAKEN: i64 = 64;
/// Hints for one bot that may wait.
const HINTS: usize = 256;
/// How long tasks may take to end.
const GRACE: Duration = Duration::from_secs(6);

/// A webhook's task.
struct Running {
    version: i64,
    epoch: i64,
    hints: mpsc::Sender<String>,
    compare: Arc<Notify>,
    stop: CancellationToken,
    ended: CancellationToken,
}

pub(crate) struct Keeper {
    shared: Arc<Shared>,
    hints: Hints,
    bots: HashMap<UserId, Running>,
    tasks: Tasks,
    stop: CancellationToken,
    renewed: Instant,
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>, hints: Hints, shutdown: &Shutdown) -> Self {
        Self {
            shared,
            hints,
            bots: HashMap::new(),
            tasks: shutdown.tasks("webhook"),
            stop: shutdown.token(),
            renewed: Instant::now(),
        }
    }

    pub(crate) async fn run(mut self) {
        let mut outage = Outage::of("keeping webhooks");
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut losses = self.shared.bus.losses();
        losses.mark_unchanged();
        let mut even_held = self.shared.sole;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(hint) = self.hints.received.recv() => self.hint(hint),
                () = self.hints.dropped.notified() => self.compare_all(),
                lost = losses.changed() => match lost {
                    Ok(()) => self.compare_all(),
                    Err(_) => break,
                },
                _ = look.tick() => match self.look(even_held).await {
                    Ok(taken) => {
                        even_held &= taken > 0;
                        // There may be more.
                        if taken >= TAKEN.unsigned_abs() {
                            look.reset_immediately();
                        }
                        outage.over(Instant::now());
                    }
                    Err(error) => {
                        outage.failed(Instant::now(), &error);
                        // Others may have taken them.
                        if self.renewed.elapsed() > SURE {
                            self.bots.values().for_each(|bot| bot.stop.cancel());
                        }
                    }
                },
            }
        }
        self.end().await;
    }

    /// Takes, renews, and makes the tasks fit; answers how many were taken.
    async fn look(&mut self, even_held: bool) -> lingxi_store::Result<u64> {
        let (store, owner) = (&self.shared.store, &self.shared.owner);
        let taken = store.take_webhooks(owner, TTL_MS, TAKEN, even_held).await?;
        let held = store.renew_webhooks(owner, TTL_MS).await?;
        self.renewed = Instant::now();
        let now: HashMap<UserId, HeldWebhook> =
            held.into_iter().map(|held| (held.bot, held)).collect();
        self.bots.retain(|bot, running| {
            let fits = now
                .get(bot)
                .is_some_and(|held| (held.version, held.epoch) == (running.version, running.epoch));
            if !fits {
                running.stop.cancel();
            }
            !running.ended.is_cancelled()
        });
        // One that was changed begins when its former task has ended.
        for held in now.into_values() {
            if !self.bots.contains_key(&held.bot) {
                self.begin(held);
            }
        }
        metrics::gauge!("lingxi_webhooks_held").set(self.bots.len() as f64);
        Ok(taken)
    }

    fn begin(&mut self, held: HeldWebhook) {
        let (bot, version, epoch) = (held.bot, held.version, held.epoch);
        let Some(hook) = Hook::new(held) else {
            tracing::error!(bot, "bots.url or bots.secret cannot be read");
            return;
        };
        let (hints, received) = mpsc::channel(HINTS);
        let ended = CancellationToken::new();
        let running = Running {
            version,
            epoch,
            hints,
            compare: Arc::new(Notify::new()),
            stop: hook.stop.clone(),
            ended: ended.clone(),
        };
        let task = Bot {
            shared: self.shared.clone(),
            hook: Arc::new(hook),
            hints: received,
            compare: running.compare.clone(),
        };
        let ended: DropGuard = ended.drop_guard();
        self.tasks.spawn(async move {
            let _ended = ended;
            task.serve().await;
        });
        self.bots.insert(bot, running);
    }

    fn hint(&self, hint: WebhookHint) {
        for bot in &hint.bots {
            if let Some(running) = self.bots.get(bot)
                && running.hints.try_send(hint.conversation.clone()).is_err()
            {
                running.compare.notify_one();
            }
        }
    }

    fn compare_all(&self) {
        self.bots.values().for_each(|bot| bot.compare.notify_one());
    }

    /// Ends the tasks, and gives everything up.
    async fn end(&mut self) {
        self.bots.values().for_each(|bot| bot.stop.cancel());
        let ended = async {
            for bot in self.bots.values() {
                bot.ended.cancelled().await;
            }
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!("attempts to tell webhooks were cut off; they are made again");
        }
        if let Err(error) = self.shared.cursors.flush().await {
            tracing::warn!(%error, "what webhooks were told is told once more");
        }
        let (store, owner) = (&self.shared.store, &self.shared.owner);
        if let Err(error) = store.release_webhooks(owner).await {
            tracing::warn!(%error, "cannot give webhooks up; their leases expire");
        }
    }
}
