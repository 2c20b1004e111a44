//! What may not have been pushed is pushed again, until that is sure.

use std::time::Duration;

use tokio::time::Instant;

use super::{Handed, Lane};
use crate::repush;

/// Pause before what could not be pushed is pushed again.
const PUSH_AGAIN: Duration = Duration::from_secs(1);

impl Lane {
    /// A commit that was not confirmed may have happened all the same; then its messages were repeats in the one that
    /// was, and nobody has pushed them yet.
    pub(super) async fn push_unsure(&mut self, handed: &Handed) {
        let mut unsure = false;
        for (partition, _) in handed {
            if self.unsure.remove(partition) {
                self.fanout.doubt(*partition);
                unsure = true;
            }
        }
        if unsure {
            self.push_again().await;
        }
    }

    /// Pushes again what may not have been pushed, until that is sure.
    pub(super) async fn push_again(&mut self) {
        let mut settled = Vec::new();
        for doubtful in self.fanout.doubtful() {
            let partition = doubtful.partition;
            let unread = || {
                self.unread
                    .iter()
                    .find(|lease| lease.partition == partition)
            };
            let last_id = match self.owned.get(&partition) {
                Some(owned) => owned.last_id,
                None => match unread() {
                    Some(lease) => lease.last_id,
                    // Somebody else's now, who does it.
                    None => continue,
                },
            };
            if !repush::push_again(&self.deps, partition, doubtful.upto, last_id).await {
                self.push_again_at = Instant::now() + PUSH_AGAIN;
                return;
            }
            settled.push((doubtful, last_id));
        }
        if settled.is_empty() {
            return;
        }
        match self.deps.bus.flush().await {
            Ok(()) => {
                for (doubtful, last_id) in settled {
                    self.fanout.settle(doubtful, last_id);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "what was pushed again is not confirmed");
                self.push_again_at = Instant::now() + PUSH_AGAIN;
            }
        }
    }
}
