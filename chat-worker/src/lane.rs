//! The committer lane: over all of a worker's partitions it takes what waits, writes it in one transaction, commits, and
//! hands the result to the fan-out, which overlaps the next batch.

mod partitions;
mod progress;
mod pushing;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::{LogEntry, Subscription};
use lingxi_domain::ErrorCode;
use lingxi_proto::Message as _;
use lingxi_proto::bus::Inbound;
use lingxi_store::{Committer, Error, Lease, LeaseProgress};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use uuid::Uuid;

use crate::Deps;
use crate::batch::{self, Incoming, Outcome};
use crate::cursors::Inbox;
use crate::fanout::{Fanout, Finished};
use crate::members::MemberCache;

/// Messages of one transaction.
const BATCH: usize = 512;
/// Messages read ahead of the lane.
const READ_AHEAD: usize = 2048;
/// How often progress is recorded while nothing comes in.
const TIDY: Duration = Duration::from_millis(250);
/// How long a lane that is told to stop goes on with what is waiting; more may come in all the time.
const FINISH: Duration = Duration::from_secs(2);
/// Pause before a batch that the database could not take is tried again.
const RETRY: Duration = Duration::from_millis(50);

/// What the lease keeper tells the lane.
pub(crate) enum Command {
    /// A partition is ours: read it.
    Own(Lease),
    /// It is no longer ours in this epoch.
    Drop(u16, i64),
    /// They are to become another's: answered when nothing more is committed for them here and what was is recorded.
    Yield(Vec<u16>, oneshot::Sender<()>),
    /// Finish what was read; answered when it is pushed and recorded.
    Finish(oneshot::Sender<()>),
}

/// The highest id that a batch gave out in each of its partitions.
pub(crate) type Handed = Vec<(u16, i64)>;

fn handed_out(progress: &[LeaseProgress]) -> Handed {
    progress.iter().map(|p| (p.partition, p.last_id)).collect()
}

struct Owned {
    epoch: i64,
    /// Which reader feeds it: what an earlier one left behind is not taken.
    reader: u64,
    stream_created: i64,
    stream_pos: i64,
    /// As recorded in the lease.
    pushed_id: i64,
    last_id: i64,
    purged: i64,
    /// What comes in, and what clients confirm.
    _subscriptions: [Subscription; 2],
}

/// The committer of one worker.
pub(crate) struct Lane {
    deps: Deps,
    owner: String,
    fanout: Fanout,
    cursors: Arc<Inbox>,
    owned: HashMap<u16, Owned>,
    /// Owned, but the bus could not be read: tried again while tidying up.
    unread: Vec<Lease>,
    members: MemberCache,
    committer: Committer,
    /// Readers started so far.
    readers: u64,
    /// Partitions with a batch whose commit may have happened although it was not confirmed.
    unsure: HashSet<u16>,
    purged_at: Instant,
    /// What may not have been pushed is pushed again from then on.
    push_again_at: Instant,
    losses: watch::Receiver<u64>,
    commands: mpsc::Receiver<Command>,
    incoming: mpsc::Receiver<LogEntry>,
    reader_out: mpsc::Sender<LogEntry>,
}

impl Lane {
    /// A lane that owns nothing yet, and the way to command it.
    pub(crate) fn new(
        deps: Deps,
        fanout: Fanout,
        cursors: Arc<Inbox>,
    ) -> (Self, mpsc::Sender<Command>) {
        let (sender, commands) = mpsc::channel(256);
        let (reader_out, incoming) = mpsc::channel(READ_AHEAD);
        let owner = Uuid::new_v4().simple().to_string();
        let members = MemberCache::default();
        let owned = HashMap::new();
        let committer = deps.store.committer(&owner);
        let mut losses = deps.bus.losses();
        losses.mark_unchanged();
        (
            Self {
                deps,
                owner,
                fanout,
                cursors,
                owned,
                unread: Vec::new(),
                members,
                committer,
                readers: 0,
                unsure: HashSet::new(),
                purged_at: Instant::now(),
                push_again_at: Instant::now(),
                losses,
                commands,
                incoming,
                reader_out,
            },
            sender,
        )
    }

    /// Under which name its leases are held.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Works until told to finish, or until the command channel closes.
    pub(crate) async fn work(mut self) {
        let mut read = Vec::with_capacity(BATCH);
        let mut tidy = tokio::time::interval(TIDY);
        tidy.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(Command::Own(lease)) => { self.own(lease).await; }
                    Some(Command::Drop(partition, epoch)) => self.forget(partition, epoch),
                    Some(Command::Yield(partitions, done)) => {
                        self.give_away(&partitions).await;
                        let _ = done.send(());
                    }
                    Some(Command::Finish(done)) => {
                        self.finish(&mut read).await;
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
                Ok(()) = self.losses.changed() => self.read_anew().await,
                _ = tidy.tick() => self.tidy().await,
                _ = self.incoming.recv_many(&mut read, BATCH) => self.process(&mut read).await,
            }
        }
    }

    /// Commits what was read from the log, in order, however often that must be tried.
    async fn process(&mut self, read: &mut Vec<LogEntry>) {
        let decoded: Vec<Incoming> = read
            .drain(..)
            .filter_map(|entry| self.decode(entry))
            .collect();
        // Parts that are still to be committed, the first one last.
        let mut parts = vec![decoded];
        while let Some(mut batch) = parts.pop() {
            // What was let go meanwhile is its next owner's.
            batch.retain(|incoming| self.owned.contains_key(&incoming.partition));
            if batch.is_empty() {
                continue;
            }
            match self.commit(&batch).await {
                Ok((outcomes, upto)) => {
                    self.push_unsure(&upto).await;
                    self.fanout.push(batch, outcomes, upto).await;
                }
                Err(Error::Fenced) => {
                    self.let_go(&mut batch).await;
                    parts.push(batch);
                }
                Err(error @ (Error::Unavailable(_) | Error::Constraint("entries_id"))) => {
                    tracing::warn!(%error, messages = batch.len(), "batch not committed; trying again");
                    self.unsure.extend(batch.iter().map(|i| i.partition));
                    tokio::time::sleep(RETRY).await;
                    parts.push(batch);
                }
                Err(error) if batch.len() == 1 => {
                    tracing::error!(%error, "a message cannot be committed; it is refused");
                    self.refuse(&mut batch).await;
                    parts.push(batch);
                }
                Err(error) => {
                    tracing::error!(%error, messages = batch.len(), "batch rolled back; halving it to find the culprit");
                    let rest = batch.split_off(batch.len() / 2);
                    parts.push(rest);
                    parts.push(batch);
                }
            }
        }
    }

    fn decode(&mut self, entry: LogEntry) -> Option<Incoming> {
        let position = i64::try_from(entry.position).unwrap_or(i64::MAX);
        let owned = self.owned.get(&entry.partition)?;
        if entry.reader != owned.reader || position <= owned.stream_pos {
            return None;
        }
        let message = Inbound::decode(entry.payload).ok()?;
        let key = message.conversation.parse().ok()?;
        let span = tracing::debug_span!("message commit", position);
        entry.trace.set_parent(&span);
        Some(Incoming {
            partition: entry.partition,
            position,
            key,
            message,
            span,
        })
    }

    async fn commit(&mut self, batch: &[Incoming]) -> Result<(Vec<Outcome>, Handed), Error> {
        let mut progress = self.progress(batch);
        let tx = self.committer.begin().await?;
        let written =
            batch::write(tx, &self.owner, &mut self.members, batch, &mut progress).await?;
        #[cfg(feature = "sabotage")]
        if crate::sabotage::planted("ack-before-commit") {
            let early = batch.to_vec();
            self.fanout
                .push(early, written.outcomes.clone(), Vec::new())
                .await;
            // Most of the time, so that whatever strikes finds an ACK without its commit.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        written.tx.commit().await?;
        metrics::histogram!("lingxi_commit_batch_messages").record(batch.len() as f64);
        self.record(&progress);
        Ok((written.outcomes, handed_out(&progress)))
    }

    /// Takes the culprit of a failing batch out of the way: its sender learns that it failed, its position passes.
    async fn refuse(&mut self, batch: &mut Vec<Incoming>) {
        let progress = self.progress(batch);
        match self.record_progress(&progress).await {
            Ok(()) => {
                let outcomes = vec![Outcome::Refused(ErrorCode::Internal); batch.len()];
                self.fanout
                    .push(std::mem::take(batch), outcomes, handed_out(&progress))
                    .await;
            }
            Err(Error::Fenced) => self.let_go(batch).await,
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }

    async fn finish(&mut self, read: &mut Vec<LogEntry>) {
        let begun = Instant::now();
        while begun.elapsed() < FINISH
            && let Ok(entry) = self.incoming.try_recv()
        {
            read.push(entry);
            if read.len() == BATCH {
                self.process(read).await;
            }
        }
        self.process(read).await;
        let (done, finished) = oneshot::channel();
        self.fanout.flush(Finished(done)).await;
        let _ = finished.await;
        self.tidy().await;
    }
}
