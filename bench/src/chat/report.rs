//! The result of a run: a table for people, fields for machines.

use std::{cell::RefCell, rc::Rc};

use serde::Serialize;

use super::{Options, party::Half, tally::Counts, tally::Tally};
use crate::{
    latency::Latency,
    output::{causes, line},
    process::Machine,
};

/// Everything a run of `bench chat` measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The server.
    pub url: String,
    /// Pairs of users.
    pub pairs: usize,
    /// `window 8` or `rate 1000/s`.
    pub loop_kind: String,
    /// Bytes of content.
    pub size: usize,
    /// Whether every message was read, too.
    pub read: bool,
    /// Seconds measured.
    pub seconds: f64,
    /// Messages sent a second, while measured.
    pub sent_per_second: f64,
    /// Messages acknowledged `delivered` or `stored` a second, while measured.
    pub acked_per_second: f64,
    /// Messages that reached their recipient's socket a second, while measured.
    pub received_per_second: f64,
    /// Counts of the whole run, warm-up and drain included.
    pub counts: Counts,
    /// Due (or sent) until the ACK was at the sender's socket.
    pub ack_ms: Latency,
    /// Due (or sent) until the message was at the recipient's socket.
    pub delivery_ms: Latency,
    /// Due until the generator handed the message to its socket: its own share of the two above.
    pub generator_lateness_ms: Latency,
    /// Cores that the server's processes used together, with `--pid`.
    pub server_cores: Option<f64>,
    /// Resident memory of the server's processes together at the end, with `--pid`.
    pub server_rss_kib: Option<u64>,
    /// Cores of this generator, and each of the server's processes.
    #[serde(flatten)]
    pub machine: Machine,
}

impl Report {
    pub(super) fn new(
        options: &Options,
        tally: &Tally,
        halves: &[Rc<RefCell<Half>>],
        machine: Machine,
    ) -> Self {
        let mut counts = tally.counts.clone();
        for half in halves.iter().map(|half| half.borrow()) {
            counts.lost += half.lost() as u64;
            counts.holes += half.holes() as u64;
            counts.unanswered += half.unacked() as u64;
        }
        let rate = |count: u64| count as f64 / options.duration;
        Self {
            url: options.url.clone(),
            pairs: options.pairs,
            loop_kind: match options.rate {
                Some(rate) => format!("rate {rate}/s"),
                None => format!("window {}", options.window),
            },
            size: options.size,
            read: options.read,
            seconds: options.duration,
            sent_per_second: rate(tally.sent_measured),
            acked_per_second: rate(tally.acked_measured),
            received_per_second: rate(tally.received_measured),
            counts,
            ack_ms: Latency::of(&tally.ack),
            delivery_ms: Latency::of(&tally.delivery),
            generator_lateness_ms: Latency::of(&tally.lateness),
            server_cores: machine.server_cores(),
            server_rss_kib: machine.server_rss_kib(),
            machine,
        }
    }

    /// Whether every message was answered, arrived once and in order, and no socket broke.
    #[must_use]
    pub fn clean(&self) -> bool {
        let counts = &self.counts;
        let wrong = counts.lost
            + counts.repeated
            + counts.out_of_order
            + counts.holes
            + counts.unanswered
            + counts.stray_acks
            + counts.unreadable;
        wrong == 0 && counts.closed.is_empty() && counts.received > 0
    }

    /// Prints the table.
    pub fn print(&self) {
        let counts = &self.counts;
        line(&format!(
            "{}  {} pairs, {}, {} bytes{}, {} s measured",
            self.url,
            self.pairs,
            self.loop_kind,
            self.size,
            if self.read { ", read" } else { "" },
            self.seconds
        ));
        line("");
        line("                      in all    per second (measured)");
        line(&format!(
            "sent              {:>10}    {:>10.0}",
            counts.sent, self.sent_per_second
        ));
        line(&format!(
            "acked             {:>10}    {:>10.0}",
            counts.delivered + counts.stored,
            self.acked_per_second
        ));
        line(&format!("  delivered       {:>10}", counts.delivered));
        line(&format!("  stored          {:>10}", counts.stored));
        line(&format!(
            "  failed          {:>10}{}",
            counts.failed.values().sum::<u64>(),
            causes(&counts.failed)
        ));
        line(&format!(
            "received          {:>10}    {:>10.0}",
            counts.received, self.received_per_second
        ));
        line("");
        line("milliseconds            mean       p50       p90       p99     p99.9       max");
        for (name, latency) in [
            ("send to ACK", &self.ack_ms),
            ("send to delivery", &self.delivery_ms),
            ("generator's own", &self.generator_lateness_ms),
        ] {
            line(&format!(
                "{name:<18}{:>10.2}{:>10.2}{:>10.2}{:>10.2}{:>10.2}{:>10.2}",
                latency.mean, latency.p50, latency.p90, latency.p99, latency.p999, latency.max
            ));
        }
        line("");
        line(&format!(
            "lost {}  repeated {}  out of order {}  holes {}  unanswered {}  stray ACKs {}  unreadable {}",
            counts.lost,
            counts.repeated,
            counts.out_of_order,
            counts.holes,
            counts.unanswered,
            counts.stray_acks,
            counts.unreadable
        ));
        if !counts.closed.is_empty() || !counts.events.is_empty() {
            line(&format!(
                "sockets closed:{}  system events:{}",
                causes(&counts.closed),
                causes(&counts.events)
            ));
        }
        self.machine.print();
        line(if self.clean() { "OK" } else { "BROKEN" });
    }
}
