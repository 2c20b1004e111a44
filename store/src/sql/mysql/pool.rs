//! Connections, kept for reuse.
//!
//! Not the driver's pool: that one asks the server for a sign of life at every return, without a time limit, so that a
//! server which stopped answering keeps every permit; and at every acquire, a round trip for each statement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use sqlx::mysql::MySqlConnection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::disk::Disk;
use super::{MySqlOptions, connect};
use crate::error::{Error, Result};

/// A connection that was used within this time is taken to be alive.
const FRESH: Duration = Duration::from_secs(1);
/// The longest wait for a sign of life, and for a rollback or a goodbye that nobody waits for.
const SHORT: Duration = Duration::from_secs(2);

/// Connections to one database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Shared>);

struct Shared {
    options: MySqlOptions,
    /// Whose connections these are: they hold this owner's named lock, by which others can find and end them.
    owner: Option<String>,
    permits: Arc<Semaphore>,
    idle: std::sync::Mutex<Vec<Idle>>,
    closed: AtomicBool,
    /// Rollbacks and goodbyes that nobody waits for before the end.
    afterwards: TaskTracker,
    disk: Disk,
}

struct Idle {
    conn: MySqlConnection,
    born: Instant,
    since: Instant,
}

/// A connection in use, and its way back.
pub(super) struct Live {
    pub(super) conn: MySqlConnection,
    born: Instant,
    pool: Pool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(options: MySqlOptions) -> Self {
        Self::make(options, None, Disk::default())
    }

    /// One connection, which the named lock of `owner` belongs to.
    pub(super) fn of_owner(&self, owner: &str) -> Self {
        let options = MySqlOptions {
            pool_size: 1,
            pool_max: 1,
            ..self.0.options.clone()
        };
        Self::make(options, Some(owner.to_owned()), self.0.disk.clone())
    }

    fn make(options: MySqlOptions, owner: Option<String>, disk: Disk) -> Self {
        let most = usize::try_from(options.pool_max.max(1)).unwrap_or(1);
        Self(Arc::new(Shared {
            permits: Arc::new(Semaphore::new(most)),
            options,
            owner,
            idle: std::sync::Mutex::default(),
            closed: AtomicBool::new(false),
            afterwards: TaskTracker::new(),
            disk,
        }))
    }

    pub(super) fn options(&self) -> &MySqlOptions {
        &self.0.options
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.0.disk
    }

    /// A connection that is alive as far as can be known.
    pub(super) async fn acquire(&self) -> Result<Live> {
        let options = &self.0.options;
        let permit = Arc::clone(&self.0.permits).acquire_owned();
        let permit = match tokio::time::timeout(options.acquire_timeout, permit).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(Error::away("the store was closed")),
            Err(_) => {
                return Err(Error::away(format!(
                    "no connection to {} became free within {:?}; pool_max is {}",
                    options.place(),
                    options.acquire_timeout,
                    options.pool_max
                )));
            }
        };
        let live = |conn, born| Live {
            conn,
            born,
            pool: self.clone(),
            _permit: permit,
        };
        while let Some(mut idle) = self.pop() {
            if idle.born.elapsed() > options.recycle {
                self.farewell(idle.conn);
            } else if idle.since.elapsed() < FRESH || answers(&mut idle.conn).await {
                return Ok(live(idle.conn, idle.born));
            }
        }
        let mut conn = connect::connect(options, true).await?;
        if let Some(owner) = &self.0.owner {
            super::owner::take_name(&mut conn, owner).await?;
        }
        Ok(live(conn, Instant::now()))
    }

    fn pop(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.0
            .idle
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Hands out no more connections and ends those that are idle.
    pub(super) async fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for idle in idle {
            let _ = tokio::time::timeout(SHORT, idle.conn.close()).await;
        }
        self.0.afterwards.close();
        self.0.afterwards.wait().await;
    }

    /// Tells the server that the connection ends, so that it does not count it as aborted.
    fn farewell(&self, conn: MySqlConnection) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let goodbye = async move {
                let _ = tokio::time::timeout(SHORT, conn.close()).await;
            };
            self.0.afterwards.spawn_on(goodbye, &runtime);
        }
    }
}

impl Live {
    pub(super) fn disk(&self) -> &Disk {
        self.pool.disk()
    }

    pub(super) fn statement_timeout(&self) -> Duration {
        self.pool.0.options.statement_timeout
    }

    /// Gives the connection back. Nothing may be under way on it.
    pub(super) fn give_back(self) {
        let pool = self.pool.clone();
        let keep = usize::try_from(pool.0.options.pool_size).unwrap_or(1);
        let since = Instant::now();
        let idle = Idle {
            conn: self.conn,
            born: self.born,
            since,
        };
        let mut kept = pool.idle();
        if kept.len() < keep && !pool.0.closed.load(Ordering::Acquire) {
            kept.push(idle);
        } else {
            drop(kept);
            pool.farewell(idle.conn);
        }
    }

    /// Gives the connection back when its transaction was rolled back; nobody waits for that.
    pub(super) fn roll_back(mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let afterwards = self.pool.0.afterwards.clone();
        let roll_back = async move {
            let rolled_back = sqlx::raw_sql("ROLLBACK").execute(&mut self.conn);
            if matches!(tokio::time::timeout(SHORT, rolled_back).await, Ok(Ok(_))) {
                self.give_back();
            }
        };
        afterwards.spawn_on(roll_back, &runtime);
    }
}

async fn answers(conn: &mut MySqlConnection) -> bool {
    matches!(tokio::time::timeout(SHORT, conn.ping()).await, Ok(Ok(())))
}
