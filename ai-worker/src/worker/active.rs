//! The runs that are held now.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_proto::bus::Watcher;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::run_log::RunLog;

/// A run that is held here.
pub(super) struct Active {
    pub(super) run_id: String,
    pub(super) attempt: i64,
    pub(super) log: Arc<RunLog>,
    /// Another worker has it: nothing more may be done.
    pub(super) lost: CancellationToken,
    /// This worker stops: give it back.
    pub(super) stopped: CancellationToken,
    /// Who follows it, with the newest request of each and what ends its pump.
    followers: Mutex<HashMap<String, (u32, CancellationToken)>>,
}

impl Active {
    pub(super) fn new(run_id: String, attempt: i64, log: Arc<RunLog>) -> Arc<Self> {
        let (lost, stopped) = (CancellationToken::new(), CancellationToken::new());
        Arc::new(Self {
            run_id,
            attempt,
            log,
            lost,
            stopped,
            followers: Mutex::default(),
        })
    }

    /// Notes a follower's request; answers what ends the pump for it, or nothing if a newer request came first. The
    /// pump of an earlier one ends.
    pub(super) fn follow(&self, watcher: &Watcher) -> Option<CancellationToken> {
        let mut followers = self.followers.lock();
        let newest = followers
            .get(&watcher.sink_id)
            .is_none_or(|(session, _)| *session < watcher.session);
        if !newest {
            return None;
        }
        let stop = CancellationToken::new();
        if let Some((_, before)) =
            followers.insert(watcher.sink_id.clone(), (watcher.session, stop.clone()))
        {
            before.cancel();
        }
        Some(stop)
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Runs {
    runs: Mutex<HashMap<String, Arc<Active>>>,
}

impl Runs {
    pub(super) fn add(&self, run: &Arc<Active>) {
        self.runs.lock().insert(run.run_id.clone(), run.clone());
        metrics::gauge!("lingxi_ai_runs_active").increment(1);
    }

    /// Forgets a run, unless a newer attempt of it is held by now.
    pub(super) fn remove(&self, run: &Active) {
        let mut runs = self.runs.lock();
        if runs
            .get(&run.run_id)
            .is_some_and(|held| held.attempt == run.attempt)
        {
            runs.remove(&run.run_id);
        }
        metrics::gauge!("lingxi_ai_runs_active").decrement(1);
    }

    pub(super) fn all(&self) -> Vec<Arc<Active>> {
        self.runs.lock().values().cloned().collect()
    }

    pub(super) fn stop_all(&self) {
        for run in self.all() {
            run.stopped.cancel();
        }
    }
}
