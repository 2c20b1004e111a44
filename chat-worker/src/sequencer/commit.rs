//! Committing what waits, in order, however often that must be tried.

#[cfg(feature = "sabotage")]
use std::time::Duration;

use lingxi_domain::ErrorCode;
use lingxi_store::{Error, LeaseProgress};
use tokio::time::Instant;

use super::batch::{self, Judged};
use super::worker::{Part, Worker};
use crate::incoming::Outcome;
use crate::push::Committed;

/// Attempts of a batch that is taken back for others' sake before it is cut up.
const TOGETHER: u32 = 2;
/// Attempts of one message alone.
const ALONE: u32 = 3;
/// Pieces into which a batch is cut to find the culprit: each look at it may cost a whole timeout.
const PIECES: usize = 8;
/// Attempts with members that were read before the lock; the next one reads them under it.
const READ_BEFORE: u32 = 2;

fn upto(progress: &[LeaseProgress]) -> Vec<(u16, i64)> {
    progress.iter().map(|p| (p.partition, p.last_id)).collect()
}

impl Worker {
    /// Commits the parts that wait, until none is left or the database does not take one.
    pub(super) async fn commit_parts(&mut self) {
        #[cfg(feature = "sabotage")]
        if crate::sabotage::planted("outage-without-end") && self.outage.lasts(Instant::now()) {
            return self.refuse_waiting().await;
        }
        while let Some(mut part) = self.parts.pop() {
            // What was let go meanwhile is its next owner's.
            part.messages
                .retain(|message| self.owned.contains_key(&message.partition));
            if part.messages.is_empty() {
                continue;
            }
            let Err(error) = self.commit(&mut part).await else {
                self.outage.over(Instant::now());
                continue;
            };
            part.failures += 1;
            match error {
                Error::Fenced => {
                    let let_go = self.let_go().await;
                    self.parts.push(part);
                    if let Err(error) = let_go {
                        return self.outage.failed(Instant::now(), &error);
                    }
                }
                // No outage: something in it takes too long, or waits for a lock that somebody keeps.
                error if error.timed_out() || error.was_rolled_back() => {
                    let alone = part.messages.len() == 1;
                    let enough = if alone {
                        part.failures >= ALONE && self.outage.lasts(Instant::now())
                    } else {
                        part.failures >= TOGETHER || error.timed_out()
                    };
                    if !enough {
                        return self.wait(part, &error);
                    }
                    if !self.isolate(part, &error, ErrorCode::Unavailable).await {
                        return self.refuse_waiting().await;
                    }
                }
                Error::Unavailable(_) | Error::Constraint("entries_id") => {
                    part.unknown |= error.is_unknown();
                    self.wait(part, &error);
                    return self.refuse_waiting().await;
                }
                error => {
                    if !self.isolate(part, &error, ErrorCode::Internal).await {
                        return self.refuse_waiting().await;
                    }
                }
            }
        }
    }

    /// It is tried again after a pause.
    fn wait(&mut self, part: Part, error: &Error) {
        self.unsure
            .extend(part.messages.iter().map(|message| message.partition));
        self.parts.push(part);
        self.outage.failed(Instant::now(), error);
    }

    /// Finds the culprit of a failing batch by cutting it up, and refuses it when it is alone. Returns true unless the
    /// database does not take that either.
    async fn isolate(&mut self, mut part: Part, error: &Error, code: ErrorCode) -> bool {
        let messages = part.messages.len();
        if messages > 1 {
            tracing::warn!(%error, messages, "batch rolled back; cutting it up to find the culprit");
            let size = messages.div_ceil(PIECES);
            while part.messages.len() > size {
                let from = (part.messages.len() - 1) / size * size;
                self.parts.push(Part {
                    messages: part.messages.split_off(from),
                    unknown: part.unknown,
                    failures: 1,
                });
            }
            part.failures = 1;
            self.parts.push(part);
            return true;
        }
        tracing::error!(%error, "a message cannot be committed; it is refused");
        let progress = self.progress(&part.messages);
        match self.record_progress(&progress).await {
            Ok(()) => {
                let outcomes = vec![Outcome::Refused(code); messages];
                self.pushed(part, outcomes, &progress).await;
                true
            }
            // The next attempt finds out what has become of the lease.
            Err(error) => {
                self.wait(part, &error);
                false
            }
        }
    }

    async fn commit(&mut self, part: &mut Part) -> Result<(), Error> {
        let store = &self.deps.store;
        self.members.read_unknown(store, &part.messages).await?;
        for attempt in 0.. {
            let mut progress = self.progress(&part.messages);
            let tx = self.committer.begin().await?;
            let read_locked = attempt >= READ_BEFORE;
            let members = &mut self.members;
            let judged = batch::write(
                tx,
                &self.owner,
                members,
                read_locked,
                &part.messages,
                &mut progress,
            );
            let (tx, outcomes) = match judged.await? {
                Judged::Written(tx, outcomes) => (tx, outcomes),
                Judged::MembersChanged(groups) => {
                    self.members.read(&self.deps.store, &groups).await?;
                    continue;
                }
            };
            #[cfg(feature = "sabotage")]
            if crate::sabotage::planted("ack-before-commit") {
                let early = Committed {
                    messages: part.messages.clone(),
                    outcomes: outcomes.clone(),
                    upto: Vec::new(),
                    unsure: Vec::new(),
                };
                self.pusher.committed(early).await;
                // Most of the time, so that whatever strikes finds an ACK without its commit.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            let committed = tx.commit().await;
            #[cfg(feature = "sabotage")]
            let committed = match committed {
                Err(Error::Unavailable(_))
                    if crate::sabotage::planted("ack-of-a-failed-commit") =>
                {
                    Ok(())
                }
                committed => committed,
            };
            committed?;
            metrics::histogram!("lingxi_commit_batch_messages").record(part.messages.len() as f64);
            self.record(&progress);
            let part = std::mem::take(part);
            self.pushed(part, outcomes, &progress).await;
            break;
        }
        Ok(())
    }

    /// Hands over what was committed, or passed durably.
    async fn pushed(&mut self, part: Part, outcomes: Vec<Outcome>, progress: &[LeaseProgress]) {
        let upto = upto(progress);
        let unsure = upto
            .iter()
            .map(|&(partition, _)| partition)
            .filter(|partition| self.unsure.remove(partition))
            .collect();
        let batch = Committed {
            messages: part.messages,
            outcomes,
            upto,
            unsure,
        };
        self.pusher.committed(batch).await;
    }
}
