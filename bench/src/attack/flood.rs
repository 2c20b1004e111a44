//! Many of one thing at once, and what became of them.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tokio::{task::JoinSet, time::Instant};

/// What became of an attack's tries, by word.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<Mutex<BTreeMap<String, u64>>>);

impl Tally {
    /// Counts one.
    pub(super) fn count(&self, what: impl ToString) {
        *self.0.lock().entry(what.to_string()).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().clone()
    }
}

/// Keeps `width` tries going until then, each begun by `one` with its number.
pub(super) async fn keep_going<F>(width: usize, until: Instant, mut one: impl FnMut(usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut going = JoinSet::new();
    let mut number = 0;
    while Instant::now() < until {
        while going.len() < width {
            going.spawn(one(number));
            number += 1;
        }
        tokio::select! {
            _ = going.join_next() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
    going.shutdown().await;
}
