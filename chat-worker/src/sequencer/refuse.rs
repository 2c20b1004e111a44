//! Telling senders that the database takes nothing, without ever committing what they were told about.
//!
//! `failed` means that this attempt was refused. How far was refused cannot be recorded in the lease while the database
//! takes nothing, so the log itself forgets it first: then no successor can read it, and commit what its sender was told
//! has failed. See `docs/adr/0012-refusing-while-the-database-takes-nothing.md`.

use std::collections::{HashMap, HashSet};

use lingxi_domain::ErrorCode;
use tokio::time::Instant;

use super::worker::{Part, Worker};
use crate::incoming::{Incoming, Outcome};
use crate::push::Committed;

impl Worker {
    /// Refuses what waits when the outage lasts. What may have been committed all the same goes on waiting: nobody knows
    /// what to say.
    pub(super) async fn refuse_waiting(&mut self) {
        if !self.outage.lasts(Instant::now()) {
            return;
        }
        let (unknown, known): (Vec<Part>, Vec<Part>) = std::mem::take(&mut self.parts)
            .into_iter()
            .partition(|part| part.unknown);
        let mut messages: Vec<Incoming> = known
            .into_iter()
            .rev()
            .flat_map(|part| part.messages)
            .filter(|message| self.owned.contains_key(&message.partition))
            .collect();
        // A repeat of what may have been committed gets no answer either.
        let waiting: HashSet<_> = unknown
            .iter()
            .flat_map(|part| part.messages.iter().map(Incoming::identity))
            .collect();
        messages.retain(|message| !waiting.contains(&message.identity()));
        drop(waiting);
        self.parts = unknown;
        self.refusing = messages.is_empty() || self.refuse(messages).await;
    }

    /// Returns true if they were refused; otherwise they go on waiting.
    async fn refuse(&mut self, messages: Vec<Incoming>) -> bool {
        // A database that cannot be read either may be there for a successor.
        let forgotten = self.holds(&messages).await && self.forget_in_log(&messages).await;
        // Whoever takes a partition from now on finds nothing of them in the log.
        if !forgotten || !self.holds(&messages).await {
            let part = Part {
                messages,
                ..Part::default()
            };
            self.parts.insert(0, part);
            return false;
        }
        for message in &messages {
            if let Some(owned) = self.owned.get_mut(&message.partition) {
                owned.stream_pos = owned.stream_pos.max(message.position);
            }
        }
        tracing::debug!(
            messages = messages.len(),
            "refused: the database takes nothing"
        );
        let outcomes = vec![Outcome::Refused(ErrorCode::Unavailable); messages.len()];
        let batch = Committed {
            messages,
            outcomes,
            upto: Vec::new(),
            unsure: Vec::new(),
        };
        self.pusher.committed(batch).await;
        true
    }

    /// Returns true if nobody else has taken the partitions of these messages.
    async fn holds(&self, messages: &[Incoming]) -> bool {
        if self.sole {
            return true;
        }
        let Ok(held) = self.deps.store.held_leases(&self.owner).await else {
            return false;
        };
        messages.iter().all(|message| {
            let owned = self.owned.get(&message.partition);
            owned.is_none_or(|owned| held.contains(&(message.partition, owned.epoch)))
        })
    }

    async fn forget_in_log(&self, messages: &[Incoming]) -> bool {
        let mut last: HashMap<u16, i64> = HashMap::new();
        for message in messages {
            last.insert(message.partition, message.position);
        }
        for (partition, position) in last {
            let upto = u64::try_from(position).unwrap_or(0);
            if let Err(error) = self.deps.bus.purge_log(partition, upto).await {
                tracing::debug!(partition, %error, "the log does not forget what is to be refused");
                return false;
            }
        }
        true
    }
}
