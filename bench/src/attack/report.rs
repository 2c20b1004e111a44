//! One row an attack.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Kind, stranger::Felt};
use crate::output::line;

/// Memory that an attack may add, in KiB.
const MEMORY: u64 = 150 * 1024;
/// How much slower strangers may be served.
const SLOWER: f64 = 3.0;

/// What an attack did.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) kind: Kind,
    /// What became of its tries.
    pub(super) done: BTreeMap<String, u64>,
    pub(super) quiet: Felt,
    pub(super) felt: Felt,
    pub(super) before_kib: u64,
    pub(super) peak_kib: u64,
    pub(super) after_kib: u64,
}

pub(super) fn head() {
    line(&format!(
        "{:<14}{:>24}{:>22}{:>22}{:>9}  tries",
        "attack", "MiB before/peak/after", "ACK p99 ms", "request p99 ms", "lost"
    ));
}

impl Row {
    pub(super) fn is_sound(&self) -> bool {
        let slower = |felt: f64, quiet: f64| felt > quiet * SLOWER;
        self.peak_kib.saturating_sub(self.before_kib) <= MEMORY
            && self.felt.lost == 0
            && !slower(self.felt.ack.p99, self.quiet.ack.p99)
            && !slower(self.felt.request.p99, self.quiet.request.p99)
    }

    pub(super) fn text(&self) -> String {
        let mib = |kib: u64| format!("{:.0}", kib as f64 / 1024.0);
        let pair = |quiet: f64, felt: f64| format!("{quiet:.1} -> {felt:.1}");
        let tries: Vec<String> = self
            .done
            .iter()
            .map(|(what, n)| format!("{what} {n}"))
            .collect();
        format!(
            "{:<14}{:>24}{:>22}{:>22}{:>9}  {}{}",
            self.kind.name(),
            format!(
                "{} {} {}",
                mib(self.before_kib),
                mib(self.peak_kib),
                mib(self.after_kib)
            ),
            pair(self.quiet.ack.p99, self.felt.ack.p99),
            pair(self.quiet.request.p99, self.felt.request.p99),
            self.felt.lost,
            tries.join(", "),
            if self.is_sound() { "" } else { "  OVER" },
        )
    }
}
