//! Connections to one file, kept for reuse.
//!
//! Not the driver's pool and transactions: SQLite rolls back by itself when the disk is full or fails, the driver goes on
//! counting a transaction that is no more, and its pool hands such a connection out for ever. Here a connection that
//! failed is thrown away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::deadline::Deadline;
use super::failure::{self, Stage};
use crate::error::{Error, Result};

/// The longest wait for a free connection.
const ACQUIRE: Duration = Duration::from_secs(10);
/// The longest wait for a connection to be opened or closed.
const OPEN: Duration = Duration::from_secs(5);

/// Connections to one file. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    options: SqliteConnectOptions,
    /// Whether its statements can be interrupted.
    limited: bool,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    closed: AtomicBool,
    /// Whether the last that was heard is that the file cannot be used: so that it is told once.
    failing: AtomicBool,
    /// Rollbacks and goodbyes that nobody waits for before the end.
    afterwards: TaskTracker,
}

struct Connection {
    conn: SqliteConnection,
    deadline: Deadline,
}

/// A connection in use, and its way back.
pub(super) struct Live {
    pub(super) conn: SqliteConnection,
    pub(super) deadline: Deadline,
    pool: Pool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// At most `most` connections; with `limited`, their statements end at the deadline that is set for each.
    pub(super) fn new(options: SqliteConnectOptions, most: usize, limited: bool) -> Self {
        Self(Arc::new(Shared {
            options,
            limited,
            permits: Arc::new(Semaphore::new(most)),
            idle: Mutex::default(),
            closed: AtomicBool::new(false),
            failing: AtomicBool::new(false),
            afterwards: TaskTracker::new(),
        }))
    }

    /// A connection that nothing is under way on.
    pub(super) async fn acquire(&self) -> Result<Live> {
        let permit = Arc::clone(&self.0.permits).acquire_owned();
        let permit = match tokio::time::timeout(ACQUIRE, permit).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(Error::away("the store was closed")),
            Err(_) => {
                return Err(Error::away(format!(
                    "no connection to the file became free within {ACQUIRE:?}"
                )));
            }
        };
        let kept = self.idle().pop();
        let Connection { conn, deadline } = match kept {
            Some(kept) => kept,
            None => self
                .connect()
                .await
                .inspect_err(|error| self.note(Some(error)))?,
        };
        Ok(Live {
            conn,
            deadline,
            pool: self.clone(),
            _permit: permit,
        })
    }

    async fn connect(&self) -> Result<Connection> {
        let made = async {
            let mut conn = self.0.options.connect().await?;
            let deadline = Deadline::default();
            if self.0.limited {
                deadline.watch(&mut conn).await?;
            }
            Ok(Connection { conn, deadline })
        };
        match tokio::time::timeout(OPEN, made).await {
            Ok(made) => failure::checked(made, Stage::Open),
            Err(_) => Err(Error::away(format!(
                "the file could not be opened within {OPEN:?}"
            ))),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out no more connections, waits for those in use to come back, and closes them all, so that the write-ahead
    /// log is copied back.
    pub(super) async fn close(&self, most: u32) {
        self.0.closed.store(true, Ordering::Release);
        let all = self.0.permits.acquire_many(most);
        let _in_use = tokio::time::timeout(OPEN, all).await;
        self.0.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for idle in idle {
            let _ = tokio::time::timeout(OPEN, idle.conn.close()).await;
        }
        self.0.afterwards.close();
        let _ = tokio::time::timeout(OPEN, self.0.afterwards.wait()).await;
    }

    /// Tells of an outage when it begins and when it has ended, not at every statement.
    pub(super) fn note(&self, failed: Option<&Error>) {
        match failed {
            Some(error) => {
                if !self.0.failing.swap(true, Ordering::AcqRel) {
                    tracing::error!(%error, "the database file cannot be used; its connections are opened anew until it can");
                }
            }
            None => {
                if self.0.failing.load(Ordering::Acquire)
                    && self.0.failing.swap(false, Ordering::AcqRel)
                {
                    tracing::info!("the database file can be used again");
                }
            }
        }
    }
}

impl Live {
    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Gives the connection back. Nothing may be under way on it.
    pub(super) fn give_back(self) {
        let Self {
            conn,
            deadline,
            pool,
            _permit,
        } = self;
        deadline.lift();
        pool.idle().push(Connection { conn, deadline });
    }

    /// Closes the connection, which rolls its transaction back. Its place is free when that is done, since its locks would
    /// keep the next one waiting.
    pub(super) fn throw_away(self) {
        self.deadline.expire();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let afterwards = self.pool.0.afterwards.clone();
            let close = async move {
                let Self { conn, _permit, .. } = self;
                let _ = tokio::time::timeout(OPEN, conn.close()).await;
            };
            afterwards.spawn_on(close, &runtime);
        }
    }

    /// Gives the connection back when its transaction was rolled back; nobody waits for that.
    pub(super) fn roll_back(mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let afterwards = self.pool.0.afterwards.clone();
        let roll_back = async move {
            // Behind what is under way. It fails where there is no transaction any more: then the connection goes too.
            match sqlx::query("ROLLBACK").execute(&mut self.conn).await {
                Ok(_) => self.give_back(),
                Err(_) => self.throw_away(),
            }
        };
        afterwards.spawn_on(roll_back, &runtime);
    }
}
