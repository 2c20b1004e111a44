//! The result of a herd: a table for people, fields for machines.

use serde::Serialize;

use super::{Options, books::Counts};
use crate::{
    latency::Latency,
    output::{causes, line},
    process::Machine,
};

/// What the database did, by `--count-queries`.
#[derive(Debug, Clone, Serialize)]
pub struct Queries {
    /// A second, with all clients connected and nothing sent.
    pub quiet_per_second: f64,
    /// From the return until `--settle` seconds after the last client had caught up.
    pub herd: u64,
    /// How long that was, in seconds.
    pub herd_seconds: f64,
    /// `herd` for each client.
    pub herd_per_client: f64,
}

/// Everything a run of `bench reconnect` measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The gateways, the lost one first.
    pub url: String,
    /// `killed 1234` or `cut`.
    pub loss: String,
    /// Clients that came back.
    pub clients: usize,
    /// Groups that they are in.
    pub groups: usize,
    /// Messages in each conversation while away.
    pub backlog: u32,
    /// The first attempt of each client was a random time up to this after the return, in milliseconds.
    pub jitter_ms: u64,
    /// Counts of the whole run.
    pub counts: Counts,
    /// From the return until a client's new connection had answered it.
    pub back_ms: Latency,
    /// From the return until a client had everything sent while it was away.
    pub caught_up_ms: Latency,
    /// From a client's own first attempt until its new connection had answered it.
    pub own_ms: Latency,
    /// A message sent when clients are back, until it was at the client.
    pub fresh_ms: Latency,
    /// From the return until the last client had caught up, in seconds.
    pub herd_seconds: f64,
    /// The database's work, with `--count-queries`.
    pub queries: Option<Queries>,
    /// What was spent in those seconds.
    #[serde(flatten)]
    pub machine: Machine,
}

/// What only the run as a whole knows.
pub(super) struct Measured {
    pub(super) counts: Counts,
    pub(super) timings: super::books::Timings,
    pub(super) herd_seconds: f64,
    pub(super) queries: Option<Queries>,
    pub(super) machine: Machine,
}

impl Report {
    pub(super) fn new(options: &Options, measured: Measured) -> Self {
        let timings = &measured.timings;
        Self {
            url: options.url.clone(),
            loss: match options.kill_pid {
                Some(pid) => format!("killed {pid}"),
                None => "cut".to_owned(),
            },
            clients: options.clients,
            groups: options.groups,
            backlog: options.backlog,
            jitter_ms: options.jitter_ms,
            back_ms: timings.back.quantiles(),
            caught_up_ms: timings.caught_up.quantiles(),
            own_ms: timings.own.quantiles(),
            fresh_ms: timings.fresh.quantiles(),
            counts: measured.counts,
            herd_seconds: measured.herd_seconds,
            queries: measured.queries,
            machine: measured.machine,
        }
    }

    /// Whether every client came back and has everything once and in order, but for what it had not confirmed.
    #[must_use]
    pub fn clean(&self) -> bool {
        let counts = &self.counts;
        let wrong = counts.failed
            + counts.unanswered
            + counts.missing
            + counts.holes
            + counts.repeated
            + counts.out_of_order
            + counts.unsettled
            + counts.unreadable;
        wrong == 0 && counts.caught_up == self.clients as u64 && counts.closed.is_empty()
    }

    /// Prints the table.
    pub fn print(&self) {
        let counts = &self.counts;
        line(&format!(
            "{}  {}, {} clients, {} groups, backlog {}, jitter {} ms",
            self.url, self.loss, self.clients, self.groups, self.backlog, self.jitter_ms
        ));
        line("");
        line("milliseconds             min       p50       p99       max");
        for (name, latency) in [
            ("return to back", &self.back_ms),
            ("return to caught up", &self.caught_up_ms),
            ("attempt to back", &self.own_ms),
            ("fresh message", &self.fresh_ms),
        ] {
            line(&format!(
                "{name:<19}{:>10.1}{:>10.1}{:>10.1}{:>10.1}",
                latency.min, latency.p50, latency.p99, latency.max
            ));
        }
        line("");
        line(&format!(
            "clients {}  back {}  caught up {}  failed {}  attempts {}  retries {}{}",
            counts.clients,
            counts.back,
            counts.caught_up,
            counts.failed,
            counts.attempts,
            counts.retries.values().sum::<u64>(),
            causes(&counts.retries)
        ));
        line(&format!(
            "sent {}  acked {}  refused {}{}  arrived {}  gaps pulled {}",
            counts.sent,
            counts.acked,
            counts.refused.values().sum::<u64>(),
            causes(&counts.refused),
            counts.arrived,
            counts.gaps
        ));
        line(&format!(
            "missing {}  repeated {}  out of order {}  holes {}  unanswered {}  unsettled {}  unreadable {}",
            counts.missing,
            counts.repeated,
            counts.out_of_order,
            counts.holes,
            counts.unanswered,
            counts.unsettled,
            counts.unreadable
        ));
        line(&format!(
            "repeated unconfirmed, which is allowed: {}",
            counts.repeated_unconfirmed
        ));
        if !counts.closed.is_empty() {
            line(&format!("sockets closed:{}", causes(&counts.closed)));
        }
        if let Some(queries) = &self.queries {
            line(&format!(
                "queries {} in {:.1} s, {:.2} a client; {:.0} a second while quiet",
                queries.herd,
                queries.herd_seconds,
                queries.herd_per_client,
                queries.quiet_per_second
            ));
        }
        line(&format!(
            "all caught up within {:.2} s, in which:",
            self.herd_seconds
        ));
        self.machine.print();
        line(if self.clean() { "OK" } else { "BROKEN" });
    }
}
