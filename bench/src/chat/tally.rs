//! What is counted and timed over all sockets of a run.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::Instant;

use crate::output;

/// Whole-run counts. The rates of a report come from the measured part alone.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Messages sent.
    pub sent: u64,
    /// ACKs `delivered`.
    pub delivered: u64,
    /// ACKs `stored`.
    pub stored: u64,
    /// ACKs `failed`, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Messages at their recipient's socket.
    pub received: u64,
    /// Echoes at their sender's socket.
    pub echoed: u64,
    /// Acknowledged, but never at the recipient's socket.
    pub lost: u64,
    /// Frames that had come before.
    pub repeated: u64,
    /// Frames whose `seq`, or sender's number, was not the next.
    pub out_of_order: u64,
    /// Numbers of a conversation that a socket never saw, echoes included.
    pub holes: u64,
    /// Messages without an ACK at the end.
    pub unanswered: u64,
    /// Second ACKs to a message, or ACKs to none that was sent.
    pub stray_acks: u64,
    /// Sockets that closed or failed, by cause.
    pub closed: BTreeMap<String, u64>,
    /// System frames that a quiet chat should not see (`gap`, `kicked`, …), by event.
    pub events: BTreeMap<String, u64>,
    /// Frames that could not be read.
    pub unreadable: u64,
}

/// Counts, and latencies in microseconds.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    pub(super) ack: Histogram<u64>,
    pub(super) delivery: Histogram<u64>,
    /// How late the generator itself was: due until handed to the socket.
    pub(super) lateness: Histogram<u64>,
    pub(super) sent_measured: u64,
    pub(super) acked_measured: u64,
    pub(super) received_measured: u64,
    from: u64,
    until: u64,
}

impl Tally {
    pub(super) fn new(from: Duration, until: Duration) -> anyhow::Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, 120_000_000, 3);
        Ok(Self {
            counts: Counts::default(),
            ack: histogram()?,
            delivery: histogram()?,
            lateness: histogram()?,
            sent_measured: 0,
            acked_measured: 0,
            received_measured: 0,
            from: from.as_nanos() as u64,
            until: until.as_nanos() as u64,
        })
    }

    fn measured(&self, at: u64) -> bool {
        (self.from..self.until).contains(&at)
    }

    pub(super) fn sent(&mut self, due: u64, now: u64) {
        self.counts.sent += 1;
        if self.measured(due) {
            self.sent_measured += 1;
            self.lateness.saturating_record(micros(due, now));
        }
    }

    pub(super) fn acked(&mut self, status: &[u8], due: u64, now: u64) {
        match status {
            b"delivered" => self.counts.delivered += 1,
            _ => self.counts.stored += 1,
        }
        if self.measured(now) {
            self.acked_measured += 1;
        }
        if self.measured(due) {
            self.ack.saturating_record(micros(due, now));
        }
    }

    pub(super) fn failed(&mut self, reason: &[u8]) {
        *self
            .counts
            .failed
            .entry(String::from_utf8_lossy(reason).into_owned())
            .or_default() += 1;
    }

    pub(super) fn received(&mut self, due: u64, now: u64) {
        self.counts.received += 1;
        if self.measured(now) {
            self.received_measured += 1;
        }
        if self.measured(due) {
            self.delivery.saturating_record(micros(due, now));
        }
    }

    pub(super) fn closed(&mut self, cause: String) {
        *self.counts.closed.entry(cause).or_default() += 1;
    }

    pub(super) fn event(&mut self, event: &[u8]) {
        *self
            .counts
            .events
            .entry(String::from_utf8_lossy(event).into_owned())
            .or_default() += 1;
    }
}

fn micros(from: u64, until: u64) -> u64 {
    (until.saturating_sub(from) / 1000).max(1)
}

/// One line a second.
pub(super) async fn progress(tally: Rc<RefCell<Tally>>, start: Instant) {
    let mut last = Counts::default();
    tokio::time::sleep_until(start).await;
    for second in 1.. {
        tokio::time::sleep_until(start + Duration::from_secs(second)).await;
        let tally = tally.borrow();
        let now = &tally.counts;
        output::note(&format!(
            "{second:>4} s  sent {:>7}/s  acked {:>7}/s  received {:>7}/s  unacked {:>6}  ack p50 {:.2} ms p99 {:.2} ms{}",
            now.sent - last.sent,
            now.delivered + now.stored - last.delivered - last.stored,
            now.received - last.received,
            now.sent
                .saturating_sub(now.delivered + now.stored + now.failed.values().sum::<u64>()),
            tally.ack.value_at_quantile(0.5) as f64 / 1000.0,
            tally.ack.value_at_quantile(0.99) as f64 / 1000.0,
            if now.repeated + now.out_of_order > 0 {
                "  ORDER BROKEN"
            } else {
                ""
            },
        ));
        last = now.clone();
    }
}
