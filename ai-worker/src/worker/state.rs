//! A worker and what it shares with its runs.

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::SharedBus;
use lingxi_store::Store;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::active::Runs;
use super::shares::Shares;
use crate::agent::Settings;
use crate::links::Hub;
use crate::providers::Choice;
use crate::tools::Toolbox;
use crate::{Deps, Options};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// One worker of a process.
pub(crate) struct Worker {
    /// This worker's name in leases; never used before.
    pub(super) name: String,
    pub(super) store: Store,
    pub(super) bus: SharedBus,
    pub(super) hub: Arc<Hub>,
    pub(super) choice: Choice,
    pub(super) settings: Settings,
    pub(super) runs: Runs,
    pub(super) slots: Arc<Semaphore>,
    /// How many of the slots each user has.
    pub(super) shares: Arc<Shares>,
    pub(super) concurrency: usize,
    /// How long runs that have ended are kept.
    pub(super) retention: Duration,
    /// Runs, and the pumps of their subscribers.
    pub(super) tasks: TaskTracker,
    pub(super) pumps: TaskTracker,
    /// Ends everything where it stands, as the death of the process would.
    pub(super) killed: CancellationToken,
}

impl Worker {
    pub(crate) fn new(options: Options, deps: Deps, choice: Choice) -> Self {
        let Deps { store, bus, im } = deps;
        let Options { ai, cluster_token } = options;
        let killed = CancellationToken::new();
        let concurrency = ai.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            name: format!("ai-{}", uuid::Uuid::now_v7().simple()),
            hub: Hub::new(store.clone(), cluster_token, killed.child_token()),
            choice,
            settings: Settings {
                im,
                tools: Toolbox::new(),
                system_prompt: ai.system_prompt,
                max_steps: ai.max_steps.max(1),
            },
            store,
            bus,
            runs: Runs::default(),
            slots: Arc::new(Semaphore::new(concurrency)),
            shares: Shares::of(concurrency),
            concurrency,
            retention: DAY * ai.run_retention_days,
            tasks: TaskTracker::new(),
            pumps: TaskTracker::new(),
            killed,
        }
    }
}
