//! The sequencer's task: one thing at a time, so that nothing is committed for a partition after it was handed back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::{LogEntry, Subscription};
use lingxi_proto::Message as _;
use lingxi_proto::bus::Inbound;
use lingxi_store::{Committer, Lease};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::command::Command;
use super::members::MemberCache;
use crate::Deps;
use crate::cursors::CursorSink;
use crate::incoming::Incoming;
use crate::push::Pusher;
use lingxi_runtime::outage::Outage;

/// Messages of one transaction.
const BATCH: usize = 512;
/// Messages read ahead of the sequencer.
const READ_AHEAD: usize = 2048;
/// How often progress is recorded while nothing comes in.
const TIDY: Duration = Duration::from_millis(250);
/// How long a sequencer that is told to stop goes on with what is waiting; more may come in all the time.
const FINISH: Duration = Duration::from_secs(2);

/// A partition that is read and committed here.
pub(super) struct Owned {
    pub(super) epoch: i64,
    /// Which reader feeds it: what an earlier one left is not taken.
    pub(super) reader: u64,
    pub(super) stream_created: i64,
    /// Everything up to here is committed or refused.
    pub(super) stream_pos: i64,
    /// As recorded in the lease.
    pub(super) pushed_id: i64,
    pub(super) last_id: i64,
    pub(super) purged: i64,
    /// What comes in, and what clients confirm.
    pub(super) _subscriptions: [Subscription; 2],
}

/// Messages that are to be committed together.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) messages: Vec<Incoming>,
    /// An attempt to commit them may have succeeded although it was not confirmed.
    pub(super) unknown: bool,
    /// Attempts that failed.
    pub(super) failures: u32,
}

pub(super) struct Worker {
    pub(super) deps: Deps,
    pub(super) owner: Arc<str>,
    pub(super) sole: bool,
    pub(super) pusher: Pusher,
    pub(super) cursors: Arc<CursorSink>,
    pub(super) owned: HashMap<u16, Owned>,
    /// Owned, but the bus could not be read: tried again while tidying up.
    pub(super) unread: Vec<Lease>,
    pub(super) members: MemberCache,
    pub(super) committer: Committer,
    /// Readers started so far.
    pub(super) readers: u64,
    /// What is to be committed, the first part last.
    pub(super) parts: Vec<Part>,
    /// Partitions with a batch whose commit may have happened although it was not confirmed.
    pub(super) unsure: HashSet<u16>,
    /// Of batches.
    pub(super) outage: Outage,
    /// Of recording how far was pushed.
    pub(super) tidying: Outage,
    /// The last attempt to refuse what waits in an outage succeeded, so more may be read.
    pub(super) refusing: bool,
    pub(super) purged_at: Instant,
    pub(super) losses: watch::Receiver<u64>,
    pub(super) incoming: mpsc::Receiver<LogEntry>,
    pub(super) reader_out: mpsc::Sender<LogEntry>,
}

impl Worker {
    pub(super) fn new(
        deps: Deps,
        owner: Arc<str>,
        sole: bool,
        pusher: Pusher,
        cursors: Arc<CursorSink>,
    ) -> Self {
        let (reader_out, incoming) = mpsc::channel(READ_AHEAD);
        let committer = deps.store.committer(&owner);
        let mut losses = deps.bus.losses();
        losses.mark_unchanged();
        Self {
            deps,
            owner,
            sole,
            pusher,
            cursors,
            owned: HashMap::new(),
            unread: Vec::new(),
            members: MemberCache::default(),
            committer,
            readers: 0,
            parts: Vec::new(),
            unsure: HashSet::new(),
            outage: Outage::of("committing messages"),
            tidying: Outage::of("recording what was pushed"),
            refusing: false,
            purged_at: Instant::now(),
            losses,
            incoming,
            reader_out,
        }
    }

    /// Works until told to finish, or until nobody can command it any more.
    pub(super) async fn work(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut read = Vec::with_capacity(BATCH);
        let mut tidy = interval(TIDY);
        tidy.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (waits, reads) = (!self.parts.is_empty(), self.reads());
            let next_try = self.outage.next_try();
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(Command::Assign(lease)) => { self.assign(lease).await; }
                    Some(Command::Revoke(partition, epoch)) => self.revoke(partition, epoch),
                    Some(Command::HandBack(partitions, done)) => {
                        self.hand_back(&partitions).await;
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
                () = sleep_until(next_try), if waits => self.commit_parts().await,
                _ = self.incoming.recv_many(&mut read, BATCH), if reads => {
                    self.take(&mut read);
                    if self.outage.rests(Instant::now()) {
                        self.refuse_waiting().await;
                    } else {
                        self.commit_parts().await;
                    }
                }
            }
        }
    }

    /// More is read when everything was committed, and in an outage as long as it can be refused.
    fn reads(&self) -> bool {
        self.parts.is_empty() || (self.refusing && self.outage.lasts(Instant::now()))
    }

    /// Puts what was read after what waits.
    fn take(&mut self, read: &mut Vec<LogEntry>) {
        let messages: Vec<Incoming> = read
            .drain(..)
            .filter_map(|entry| self.decode(entry))
            .collect();
        if !messages.is_empty() {
            let part = Part {
                messages,
                ..Part::default()
            };
            self.parts.insert(0, part);
        }
    }

    fn decode(&self, entry: LogEntry) -> Option<Incoming> {
        let position = i64::try_from(entry.position).unwrap_or(i64::MAX);
        let owned = self.owned.get(&entry.partition)?;
        if entry.reader != owned.reader || position <= owned.stream_pos {
            return None;
        }
        let inbound = Inbound::decode(entry.payload).ok()?;
        let span = tracing::debug_span!("message commit", position);
        entry.trace.set_parent(&span);
        Incoming::new((entry.partition, position), inbound, span)
    }

    async fn finish(&mut self, read: &mut Vec<LogEntry>) {
        let deadline = Instant::now() + FINISH;
        loop {
            if self.parts.is_empty() {
                while read.len() < BATCH
                    && let Ok(entry) = self.incoming.try_recv()
                {
                    read.push(entry);
                }
                self.take(read);
            }
            if self.parts.is_empty() || Instant::now() >= deadline {
                break;
            }
            sleep_until(self.outage.next_try().min(deadline)).await;
            self.commit_parts().await;
        }
        self.pusher.flushed().await;
        self.tidy().await;
    }
}
