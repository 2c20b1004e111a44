//! What waits for a session's socket: each entry of a log once, and the next one only.

use std::time::Duration;

use axum::body::Bytes;
use lingxi_bus::Replier;
use lingxi_domain::{Seq, limits};
use lingxi_proto::bus::PushFrame;

use super::inner::{Inner, Stage};
use super::waiting::{Held, Outgoing};
use crate::ws::watermark::{Step, Watermark};

/// A socket that has taken nothing for this long cannot keep up.
const STUCK: Duration = Duration::from_millis(250);

impl Inner {
    pub(super) fn enqueue(&mut self, outgoing: Outgoing) {
        if self.gone || self.close.is_some() {
            return;
        }
        let bytes = self.queued_bytes + outgoing.json.len();
        // A burst of more frames than the queue is meant for is no fault of a client that reads: only one whose socket
        // has taken nothing for a while is too slow.
        let stuck = || {
            self.writing_since
                .is_some_and(|since| since.elapsed() > STUCK)
        };
        let frames = self.queue.len();
        let over = frames >= limits::SESSION_QUEUE_FRAMES
            && (stuck() || frames >= limits::SESSION_BURST_FRAMES);
        if over || bytes > limits::SESSION_QUEUE_BYTES || !self.pay(outgoing.json.len()) {
            self.too_slow();
            return;
        }
        self.queued_bytes = bytes;
        self.queue.push_back(outgoing);
    }

    /// A live frame; returns true if entries are missing before it.
    pub(super) fn arrive(&mut self, frame: PushFrame, written: Option<Replier>) -> bool {
        if frame.seq == 0 {
            self.enqueue(Outgoing {
                json: frame.json,
                entry: None,
                written,
            });
            return false;
        }
        match &self.stage {
            Stage::Live => return self.step(frame, written),
            Stage::Syncing(syncing) => {
                let bytes = frame.json.len();
                let fits = syncing.has_room(bytes) && self.pay(bytes);
                if let Stage::Syncing(syncing) = &mut self.stage {
                    syncing.hold(fits.then_some(Held { frame, written }));
                }
            }
        }
        false
    }

    /// Queues an entry if it is next; returns true if entries are missing before it.
    pub(super) fn step(&mut self, frame: PushFrame, written: Option<Replier>) -> bool {
        let (key, step) = match self.watermarks.key(&frame.conversation) {
            Some(key) => {
                let step = self
                    .watermarks
                    .get_mut(&key)
                    .map_or(Step::Next, |w| w.arrive(frame.seq));
                (Some(key), step)
            }
            None => {
                // Its cursor stood at its head when this session synced, so this entry is the next.
                let mut watermark = Watermark::assumed_at(frame.seq);
                let step = watermark.arrive(frame.seq);
                (self.watermarks.insert(&frame.conversation, watermark), step)
            }
        };
        match step {
            Step::Next => self.enqueue(Outgoing {
                json: frame.json,
                entry: key.map(|key| (key, frame.seq)),
                written,
            }),
            Step::Duplicate => self.answer_duplicate(&frame.conversation, frame.seq, written),
            Step::Hole => return true,
        }
        false
    }

    /// An entry that was queued before: its asker is told when it was really written. Dropped, the asker learns that it
    /// was not.
    fn answer_duplicate(&mut self, key: &str, seq: Seq, written: Option<Replier>) {
        let Some(written) = written else { return };
        let same = |o: &&mut Outgoing| {
            o.entry
                .as_ref()
                .is_some_and(|(k, s)| &**k == key && *s == seq)
        };
        if let Some(waiting) = self.queue.iter_mut().find(same) {
            waiting.written.get_or_insert(written);
        } else if self.watermarks.get(key).is_some_and(|w| w.has_written(seq)) {
            written.reply(Bytes::new());
        }
    }

    pub(super) fn arrive_stored(&mut self, frame: PushFrame) {
        // A hole here means that a live push overtook this round; the next comparison finds it.
        self.step(frame, None);
    }
}
