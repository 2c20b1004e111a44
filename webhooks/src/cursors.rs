//! What webhooks were told, on its way to the store: written a few times a second for all of them together. What is lost with
//! the process is told once more.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use lingxi_domain::{Seq, UserId};
use lingxi_runtime::outage::Outage;
use lingxi_store::{Lane, Store, WebhookMove};
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(200);

/// Cursors that are not written yet: one for each conversation of which a webhook was told something since.
pub(crate) struct Cursors {
    store: Store,
    pending: Mutex<BTreeMap<(UserId, String), Seq>>,
}

/// How far one webhook was told, where that was not written yet.
pub(crate) struct Told(HashMap<String, Seq>);

impl Told {
    /// What is left of a conversation that was read from the store after this was taken.
    pub(crate) fn left_of(&self, lane: Lane) -> Option<Lane> {
        match self.0.get(&lane.conversation) {
            Some(&seq) if seq >= lane.last => None,
            Some(&seq) if seq >= lane.first => Some(Lane {
                first: seq + 1,
                attempts: 0,
                ..lane
            }),
            _ => Some(lane),
        }
    }
}

impl Cursors {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            pending: Mutex::default(),
        }
    }

    /// The webhook was told of the conversation up to there.
    pub(crate) fn advance(&self, bot: UserId, conversation: &str, seq: Seq) {
        let mut pending = self.pending.lock();
        let told = pending.entry((bot, conversation.to_owned())).or_insert(seq);
        *told = seq.max(*told);
    }

    /// What the store does not know yet. To be taken before the store is asked what is due: what is written between the two
    /// would be told once more.
    pub(crate) fn told(&self, bot: UserId) -> Told {
        let pending = self.pending.lock();
        let of_bot = pending.range((bot, String::new())..(bot + 1, String::new()));
        Told(of_bot.map(|((_, key), seq)| (key.clone(), *seq)).collect())
    }

    /// Writes what is pending; what fails is pending still.
    pub(crate) async fn flush(&self) -> lingxi_store::Result<()> {
        let moves: Vec<WebhookMove> = {
            let pending = self.pending.lock();
            let moves = pending
                .iter()
                .map(|((bot, conversation), seq)| WebhookMove {
                    bot: *bot,
                    conversation: conversation.clone(),
                    seq: *seq,
                });
            moves.collect()
        };
        if moves.is_empty() {
            return Ok(());
        }
        self.store.move_webhook_cursors(&moves).await?;
        let mut pending = self.pending.lock();
        for written in moves {
            let key = (written.bot, written.conversation);
            if pending.get(&key).is_some_and(|seq| *seq <= written.seq) {
                pending.remove(&key);
            }
        }
        Ok(())
    }
}

/// Writes what is pending until `stop`.
pub(crate) async fn flush_on(cursors: &Cursors, stop: &CancellationToken) {
    let mut outage = Outage::of("writing cursors of webhooks");
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        match cursors.flush().await {
            Ok(()) => outage.over(Instant::now()),
            Err(error) => {
                outage.failed(Instant::now(), &error);
                outage.rest().await;
            }
        }
    }
}
