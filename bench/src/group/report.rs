//! The result of a run: a table for people, fields for machines.

use serde::Serialize;

use super::{
    Options,
    books::{Books, Counts},
};
use crate::{
    latency::Latency,
    output::{causes, line},
    process::Machine,
};

/// Everything a run of `bench group` measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The gateways.
    pub url: String,
    /// Members of the group.
    pub members: usize,
    /// Members who were online.
    pub online: usize,
    /// Members who wrote.
    pub senders: usize,
    /// Messages, over all senders.
    pub messages: u32,
    /// Messages a second, over all senders.
    pub rate: f64,
    /// Bytes of content.
    pub size: usize,
    /// How long all members took to join, in seconds.
    pub join_seconds: f64,
    /// Counts.
    pub counts: Counts,
    /// Due until at a member; one time for each message and member.
    pub each_ms: Latency,
    /// Due until at the last member who is online; one time for each message that reached all.
    pub all_ms: Latency,
    /// Due until the ACK was at the sender.
    pub ack_ms: Latency,
    /// Due until the generator handed the message to its socket: its own share of the three above.
    pub generator_lateness_ms: Latency,
    /// What was spent from the first message until all had come.
    #[serde(flatten)]
    pub machine: Machine,
}

impl Report {
    pub(super) fn new(
        options: &Options,
        join_seconds: f64,
        books: &Books,
        machine: Machine,
    ) -> Self {
        let timings = books.timings.borrow();
        Self {
            url: options.url.clone(),
            members: options.members,
            online: options.online,
            senders: options.senders,
            messages: options.messages,
            rate: options.rate,
            size: options.size,
            join_seconds,
            counts: books.close(),
            each_ms: timings.each.quantiles(),
            all_ms: timings.all.quantiles(),
            ack_ms: timings.ack.quantiles(),
            generator_lateness_ms: timings.lateness.quantiles(),
            machine,
        }
    }

    /// Whether every message was answered, reached every member who was online once and in order, and no socket broke.
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
        wrong == 0 && counts.closed.is_empty() && counts.complete > 0
    }

    /// Prints the table.
    pub fn print(&self) {
        let counts = &self.counts;
        line(&format!(
            "{}  {} members, {} online, {} senders, {} messages at {}/s, {} bytes",
            self.url, self.members, self.online, self.senders, self.messages, self.rate, self.size
        ));
        line("");
        line("milliseconds             min       p50       p99       max");
        for (name, latency) in [
            ("send to each", &self.each_ms),
            ("send to all", &self.all_ms),
            ("send to ACK", &self.ack_ms),
            ("generator's own", &self.generator_lateness_ms),
        ] {
            line(&format!(
                "{name:<19}{:>10.2}{:>10.2}{:>10.2}{:>10.2}",
                latency.min, latency.p50, latency.p99, latency.max
            ));
        }
        line("");
        line(&format!(
            "sent {}  acked {}  failed {}{}  at all {}  arrived {}  joined in {:.1} s",
            counts.sent,
            counts.acked,
            counts.failed.values().sum::<u64>(),
            causes(&counts.failed),
            counts.complete,
            counts.arrived,
            self.join_seconds
        ));
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
