//! A worker and what it shares with its runs.

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::SharedBus;
use lingxi_runtime::config::Config;
use lingxi_store::Store;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::active::Runs;
use super::shares::Shares;
use crate::Deps;
use crate::agent::Settings;
use crate::links::Hub;
use crate::providers::Choice;
use crate::tools::Toolbox;

/// How long runs that have ended are kept.
const RETENTION: Duration = Duration::from_secs(30 * 24 * 3_600);

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
    pub(crate) fn new(config: &Config, deps: Deps, choice: Choice) -> Self {
        let Deps {
            store,
            bus,
            cache: _,
            im,
        } = deps;
        let killed = CancellationToken::new();
        let concurrency = config.ai.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            name: format!("ai-{}", uuid::Uuid::now_v7().simple()),
            hub: Hub::new(
                store.clone(),
                config.cluster_token.clone(),
                killed.child_token(),
            ),
            choice,
            settings: Settings {
                im,
                tools: Toolbox::new(),
                system_prompt: config.ai.system_prompt.clone(),
                max_steps: config.ai.max_steps.max(1),
            },
            store,
            bus,
            runs: Runs::default(),
            slots: Arc::new(Semaphore::new(concurrency)),
            shares: Shares::of(concurrency),
            concurrency,
            retention: RETENTION,
            tasks: TaskTracker::new(),
            pumps: TaskTracker::new(),
            killed,
        }
    }
}
