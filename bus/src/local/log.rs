//! The chat log: per partition a bounded queue with positions that readers walk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lingxi_runtime::shutdown::Tasks;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Error, LogEntry, LogInfo, Result, TraceContext};

/// Entries that may wait in all partitions together.
const CAPACITY: usize = 65_536;
/// How long an append waits for room before it is refused.
const PATIENCE: Duration = Duration::from_secs(5);
/// Entries a reader takes at a time.
const READ_AHEAD: usize = 256;

#[derive(Default)]
struct Partition {
    entries: Mutex<VecDeque<LogEntry>>,
    appended: Notify,
}

pub(super) struct Log {
    partitions: Vec<Arc<Partition>>,
    created: i64,
    last: AtomicU64,
    room: Semaphore,
    readers: Tasks,
    closed: CancellationToken,
}

impl Log {
    pub(super) fn new(partitions: u16, readers: Tasks) -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            partitions: (0..partitions).map(|_| Arc::default()).collect(),
            created: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            last: AtomicU64::new(0),
            room: Semaphore::new(CAPACITY),
            readers,
            closed: CancellationToken::new(),
        }
    }

    fn partition(&self, number: u16) -> Result<&Arc<Partition>> {
        let found = self.partitions.get(usize::from(number));
        found.ok_or_else(|| Error::Unavailable(format!("there is no partition {number}")))
    }

    pub(super) async fn append(&self, number: u16, payload: Bytes) -> Result<u64> {
        let partition = self.partition(number)?;
        match self.room.try_acquire() {
            Ok(permit) => permit.forget(),
            Err(_) => match tokio::time::timeout(PATIENCE, self.room.acquire()).await {
                Ok(Ok(permit)) => permit.forget(),
                _ => return Err(Error::Full),
            },
        }
        let trace = TraceContext::current();
        let position = {
            let mut entries = partition.entries.lock();
            // Taken under the partition's lock, so that positions rise within it.
            let position = self.last.fetch_add(1, Ordering::Relaxed) + 1;
            entries.push_back(LogEntry {
                partition: number,
                position,
                payload,
                reader: 0,
                trace,
            });
            position
        };
        partition.appended.notify_waiters();
        Ok(position)
    }

    pub(super) fn info(&self) -> LogInfo {
        LogInfo {
            created: self.created,
            last: self.last.load(Ordering::Relaxed),
        }
    }

    pub(super) fn read(
        &self,
        number: u16,
        after: u64,
        reader: u64,
        out: mpsc::Sender<LogEntry>,
    ) -> Result<DropGuard> {
        let partition = self.partition(number)?.clone();
        let stop = self.closed.child_token();
        let guard = stop.clone().drop_guard();
        self.readers.spawn(async move {
            let work = walk(&partition, after, reader, &out);
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
        Ok(guard)
    }

    /// Ends all readers.
    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    pub(super) fn purge(&self, number: u16, upto: u64) -> Result<()> {
        let mut entries = self.partition(number)?.entries.lock();
        let keep_from = entries.partition_point(|e| e.position <= upto);
        entries.drain(..keep_from);
        drop(entries);
        self.room.add_permits(keep_from);
        Ok(())
    }
}

async fn walk(partition: &Partition, mut after: u64, reader: u64, out: &mpsc::Sender<LogEntry>) {
    loop {
        let appended = partition.appended.notified();
        tokio::pin!(appended);
        appended.as_mut().enable();
        let batch: Vec<LogEntry> = {
            let entries = partition.entries.lock();
            let from = entries.partition_point(|e| e.position <= after);
            entries
                .iter()
                .skip(from)
                .take(READ_AHEAD)
                .cloned()
                .collect()
        };
        if batch.is_empty() {
            tokio::select! {
                () = appended => {}
                () = out.closed() => return,
            }
        }
        for mut entry in batch {
            entry.reader = reader;
            after = entry.position;
            if out.send(entry).await.is_err() {
                return;
            }
        }
    }
}
