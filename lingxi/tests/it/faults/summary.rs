//! What a run came to, for people (Markdown) and for programs (JSON).

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::board::Found;
use super::plan::{Fault, NAMES};
use crate::evidence::{Received, Recording};

/// One fault that was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Struck {
    pub(super) fault: Fault,
    pub(super) found: Found,
    pub(super) lasted: Duration,
    /// Until every conversation worked again; none where nobody wrote, or it never did.
    pub(super) recovered: Option<Duration>,
    /// Until everybody had everything although nobody wrote.
    pub(super) converged: Option<Duration>,
    /// Nothing else was broken at the time.
    pub(super) alone: bool,
}

#[derive(Debug)]
pub(super) struct Summary {
    start: Instant,
    seed: u64,
    struck: Vec<Struck>,
}

impl Summary {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            start: Instant::now(),
            seed,
            struck: Vec::new(),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn struck(&mut self, one: Struck) {
        self.struck.push(one);
    }

    pub(super) fn faults(&self) -> usize {
        self.struck.len()
    }

    pub(super) fn count(&self, fault: Fault) -> usize {
        let same = self.struck.iter().filter(|one| one.fault == fault);
        same.count()
    }

    /// The table, with lines of text before it.
    pub(super) fn markdown(&self, totals: &[String], broken: usize) -> String {
        let mut out = format!(
            "# The fault suite\n\nSeed {}, {:.0} s, {} faults, {broken} promises broken.\n\n",
            self.seed,
            self.elapsed().as_secs_f64(),
            self.faults()
        );
        for line in totals {
            let _ = writeln!(out, "- {line}");
        }
        out += "\nSeconds until every conversation worked again (from the fault's end; where another process takes over, \
                from its beginning), and until everybody had everything although nobody wrote any more. Least / median / \
                most; other faults may have overlapped.\n\n\
                | fault | times | in flight | recovered | converged |\n|---|---:|---:|---:|---:|\n";
        for (fault, name) in NAMES {
            let of_kind = || self.struck.iter().filter(|one| one.fault == *fault);
            if of_kind().next().is_none() {
                continue;
            }
            let in_flight: usize = of_kind().map(|one| one.found.in_flight).sum();
            let _ = writeln!(
                out,
                "| {name} | {} | {} | {} | {} |",
                of_kind().count(),
                in_flight,
                spread(of_kind().filter_map(|one| one.recovered).collect()),
                spread(of_kind().filter_map(|one| one.converged).collect()),
            );
        }
        out
    }

    fn json(&self, totals: &[String], broken: usize) -> Value {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let struck = self.struck.iter().map(|one| {
            json!({
                "fault": one.fault.name(),
                "alone": one.alone,
                "in_flight": one.found.in_flight,
                "acked_since_the_last": one.found.acked,
                "lasted_ms": millis(one.lasted),
                "recovered_ms": one.recovered.map(millis),
                "converged_ms": one.converged.map(millis),
            })
        });
        json!({
            "seed": self.seed,
            "seconds": self.elapsed().as_secs(),
            "broken": broken,
            "totals": totals,
            "faults": struck.collect::<Vec<_>>(),
        })
    }

    /// Writes both to where `LINGXI_TEST_SUMMARY` says: that file, and beside it one that ends in `.json`; after a failure
    /// also all that happened, a line each, in one that ends in `.recording`.
    pub(super) fn write(&self, totals: &[String], broken: usize, recording: &Recording) {
        let Some(path) = std::env::var_os("LINGXI_TEST_SUMMARY") else {
            return;
        };
        let path = Path::new(&path);
        let json = self.json(totals, broken).to_string();
        let written = std::fs::write(path, self.markdown(totals, broken))
            .and_then(|()| std::fs::write(path.with_extension("json"), json));
        written.expect("the summary is written");
        if broken > 0 {
            std::fs::write(path.with_extension("recording"), lines(recording))
                .expect("the recording is written");
        }
    }
}

/// Everything in a recording, a line each.
fn lines(recording: &Recording) -> String {
    let mut out = String::new();
    for one in &recording.connections {
        let _ = writeln!(out, "{one:?}");
    }
    for one in &recording.received {
        let Received {
            reader,
            conversation,
            connection,
            entry,
        } = one;
        let _ = writeln!(
            out,
            "{reader} {conversation} on {connection:?}: {} id {} at {} of {} {:?} {:?}",
            entry.seq,
            entry.id,
            entry.written_ms().saturating_sub(recording.epoch_ms),
            entry.from,
            entry.msg_id,
            entry.content
        );
    }
    for one in &recording.acks {
        let _ = writeln!(out, "{one:?}");
    }
    for one in &recording.cursors {
        let _ = writeln!(out, "{one:?}");
    }
    out
}

/// Least, median and most, in seconds.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    match (times.first(), times.last()) {
        (Some(least), Some(most)) => {
            let median = times[times.len() / 2];
            let seconds = |time: &Duration| format!("{:.1}", time.as_secs_f64());
            format!(
                "{} / {} / {}",
                seconds(least),
                seconds(&median),
                seconds(most)
            )
        }
        _ => "–".to_owned(),
    }
}
