//! The runs that are held now.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_proto::bus::Watcher;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::ledger::RunLog;

/// Subscribers of one run, over all gateways. One more takes the place of the one that came first, which asks again if it
/// is still there.
const MAX_SUBSCRIBERS: usize = 64;

/// A run that is held here.
pub(super) struct Active {
    pub(super) run_id: String,
    pub(super) attempt: i64,
    pub(super) log: Arc<RunLog>,
    /// Another worker has it: nothing more may be done.
    pub(super) lost: CancellationToken,
    /// This worker stops: give it back.
    pub(super) stopped: CancellationToken,
    subscribers: Mutex<Subscribers>,
}

/// Who follows a run, by the gateways' names for them.
#[derive(Default)]
struct Subscribers {
    /// Rises with every request.
    order: u64,
    pumps: HashMap<String, Pump>,
}

struct Pump {
    /// The newest request.
    session: u32,
    order: u64,
    stop: CancellationToken,
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
            subscribers: Mutex::default(),
        })
    }

    /// Notes a subscriber's request; returns what ends the pump for it, or nothing if a newer request came first. The
    /// pump of an earlier one ends.
    pub(super) fn follow(&self, watcher: &Watcher) -> Option<CancellationToken> {
        let mut subscribers = self.subscribers.lock();
        let known = subscribers.pumps.get(&watcher.sink_id);
        if known.is_some_and(|pump| pump.session >= watcher.session) {
            return None;
        }
        if known.is_none() && subscribers.pumps.len() >= MAX_SUBSCRIBERS {
            subscribers.drop_first();
        }
        subscribers.order += 1;
        let stop = CancellationToken::new();
        let pump = Pump {
            session: watcher.session,
            order: subscribers.order,
            stop: stop.clone(),
        };
        if let Some(before) = subscribers.pumps.insert(watcher.sink_id.clone(), pump) {
            before.stop.cancel();
        }
        Some(stop)
    }

    /// A subscriber wants nothing more for this request or an earlier one: its pump ends.
    pub(super) fn leave(&self, subscriber: &str, session: u32) {
        let mut subscribers = self.subscribers.lock();
        let pump = subscribers.pumps.get(subscriber);
        if pump.is_some_and(|pump| pump.session <= session)
            && let Some(pump) = subscribers.pumps.remove(subscriber)
        {
            pump.stop.cancel();
        }
    }

    #[cfg(test)]
    pub(super) fn subscribers(&self) -> usize {
        self.subscribers.lock().pumps.len()
    }
}

impl Subscribers {
    fn drop_first(&mut self) {
        let first = self.pumps.iter().min_by_key(|(_, pump)| pump.order);
        let first = first.map(|(name, _)| name.clone());
        if let Some(pump) = first.and_then(|name| self.pumps.remove(&name)) {
            pump.stop.cancel();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn active() -> Arc<Active> {
        Active::new("r".into(), 1, Arc::new(RunLog::new(1, vec![])))
    }

    fn watcher(name: &str, session: u32) -> Watcher {
        Watcher {
            sink_id: name.into(),
            session,
            ..Watcher::default()
        }
    }

    #[test]
    fn who_leaves_is_forgotten_and_who_asked_again_is_not() {
        let run = active();
        let first = run.follow(&watcher("a", 1)).unwrap();
        let second = run.follow(&watcher("a", 2)).unwrap();
        assert!(first.is_cancelled() && !second.is_cancelled());
        assert!(run.follow(&watcher("a", 2)).is_none(), "a repeat");
        run.leave("a", 1);
        assert!(!second.is_cancelled(), "only the first request was left");
        run.leave("a", 2);
        assert!(second.is_cancelled());
        assert_eq!(run.subscribers(), 0);
    }

    #[test]
    fn eight_thousand_that_come_and_never_say_that_they_left_are_bounded() {
        let run = active();
        let all = (0..8_000).map(|n| run.follow(&watcher(&format!("s{n}"), 1)).unwrap());
        let all: Vec<_> = all.collect();
        assert_eq!(run.subscribers(), MAX_SUBSCRIBERS);
        let open = all.iter().filter(|stop| !stop.is_cancelled()).count();
        assert_eq!(open, MAX_SUBSCRIBERS);
        assert!(!all.last().unwrap().is_cancelled(), "the newest stay");
    }
}
