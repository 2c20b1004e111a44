//! Connection ids: rising numbers from the store, so that "newer" means the same on every node.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::Store;
use crate::error::{Error, Result};
use crate::sql::args;

/// Callers served by one transaction.
const BATCH: usize = 1024;

/// Hands out connection ids. Each is taken from the store after it was asked for, never from a block kept before, so an id
/// that is asked for after another was given out is higher, whichever node asks; callers that wait share a transaction.
#[derive(Clone)]
pub struct ConnectionIds {
    requests: mpsc::Sender<oneshot::Sender<Result<i64>>>,
    /// The task that serves them; it ends with the last clone.
    _server: Arc<JoinSet<()>>,
}

impl ConnectionIds {
    /// Ids from this store.
    pub fn new(store: Store) -> Self {
        let (requests, mut waiting) = mpsc::channel::<oneshot::Sender<Result<i64>>>(BATCH);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut batch = Vec::new();
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                let count = i64::try_from(batch.len()).unwrap_or(i64::MAX);
                match store.advance_counter("connection_id", count).await {
                    Ok(end) => {
                        for (id, caller) in (end - count + 1..=end).zip(batch.drain(..)) {
                            let _ = caller.send(Ok(id));
                        }
                    }
                    Err(error) => {
                        for caller in batch.drain(..) {
                            let _ = caller.send(Err(Error::away(&error)));
                        }
                    }
                }
            }
        });
        Self {
            requests,
            _server: Arc::new(server),
        }
    }

    /// The next id.
    pub async fn next(&self) -> Result<i64> {
        let (sender, receiver) = oneshot::channel();
        let gone = || Error::away("the connection counter has stopped");
        self.requests.send(sender).await.map_err(|_| gone())?;
        receiver.await.map_err(|_| gone())?
    }
}

impl Store {
    /// Adds `by` to a counter that starts at 0; answers its new value.
    pub(crate) async fn advance_counter(&self, name: &str, by: i64) -> Result<i64> {
        // Should it be done twice, numbers are left out, which is no harm.
        self.retried(|| self.advance_counter_once(name, by)).await
    }

    async fn advance_counter_once(&self, name: &str, by: i64) -> Result<i64> {
        let mut tx = self.begin().await?;
        let insert = format!(
            "INSERT INTO counters (name, value) VALUES (?, 0){}",
            tx.dialect().on_conflict_keep("name")
        );
        tx.conn.execute(insert, args![name]).await?;
        tx.conn
            .execute(
                "UPDATE counters SET value = value + ? WHERE name = ?",
                args![by, name],
            )
            .await?;
        let row = tx
            .conn
            .fetch_one("SELECT value FROM counters WHERE name = ?", args![name])
            .await?;
        let value = row.map_or(Ok(0), |r| r.int(0))?;
        tx.commit().await?;
        Ok(value)
    }

    /// A setting that is fixed when the system is installed: `value` if none was stored yet, else what was.
    pub async fn install_setting(&self, name: &str, value: &str) -> Result<String> {
        self.retried(|| self.install_setting_once(name, value))
            .await
    }

    async fn install_setting_once(&self, name: &str, value: &str) -> Result<String> {
        let mut tx = self.begin().await?;
        let insert = format!(
            "INSERT INTO settings (name, value) VALUES (?, ?){}",
            tx.dialect().on_conflict_keep("name")
        );
        tx.conn.execute(insert, args![name, value]).await?;
        let row = tx
            .conn
            .fetch_one("SELECT value FROM settings WHERE name = ?", args![name])
            .await?;
        let stored = row.map_or(Ok(value.to_owned()), |r| r.text(0))?;
        tx.commit().await?;
        Ok(stored)
    }
}
