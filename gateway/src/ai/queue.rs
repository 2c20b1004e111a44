//! Events that wait for one client to take them.

use std::collections::VecDeque;

use lingxi_domain::run::RunEvent;
use lingxi_proto::sink::AiEvent;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Bytes that may wait, what they cost in memory counted.
const MAX_BYTES: usize = 256 * 1024;
/// What an event costs beside its JSON.
const OVERHEAD: usize = 128;
/// The largest chunk that others are put together into, in bytes of JSON.
const PIECE: usize = 16 * 1024;

/// What a queue has for its client.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// The next event: chunks that waited are one.
    Event(AiEvent),
    /// There was too much: what waited was dropped, and nothing more is taken in. The rest is to be asked for anew.
    Overflow,
}

/// The queue of one subscriber. It never waits and never loses the end in silence: when too much waits, it says so, and
/// the subscriber asks the worker for what its client does not have yet.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    events: VecDeque<AiEvent>,
    bytes: usize,
    /// The request whose events are wanted; 0 for none.
    session: u32,
    overflowed: bool,
}

impl Queue {
    /// From now on only events that answer this request are taken in.
    pub(super) fn expect(&self, session: u32) {
        *self.state.lock() = State {
            session,
            ..State::default()
        };
    }

    /// Takes an event in; false when it made the queue overflow.
    pub(super) fn push(&self, event: AiEvent) -> bool {
        let mut state = self.state.lock();
        if event.session != state.session || state.session == 0 {
            return true;
        }
        let cost = event.json.len() + OVERHEAD;
        // One event alone always has room, however large.
        let fits = state.events.is_empty() || state.bytes + cost <= MAX_BYTES;
        if fits {
            state.bytes += cost;
            state.events.push_back(event);
        } else {
            *state = State {
                overflowed: true,
                ..State::default()
            };
        }
        drop(state);
        self.changed.notify_one();
        fits
    }

    /// What there is; waits for it. Dropped, nothing is lost.
    pub(super) async fn take(&self) -> Taken {
        loop {
            if let Some(taken) = self.state.lock().take() {
                return taken;
            }
            self.changed.notified().await;
        }
    }

    /// Bytes that wait.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }
}

impl State {
    fn take(&mut self) -> Option<Taken> {
        if std::mem::take(&mut self.overflowed) {
            return Some(Taken::Overflow);
        }
        let mut event = self.pop()?;
        let Some(mut content) = chunk(&event).filter(|_| !self.events.is_empty()) else {
            return Some(Taken::Event(event));
        };
        let mut merged = false;
        while let Some(more) = self.events.front().filter(|next| adjacent(&event, next))
            && let Some(text) = chunk(more)
            && content.len() + text.len() <= PIECE
        {
            content.push_str(&text);
            event.event_id = more.event_id;
            merged = true;
            self.pop();
        }
        if merged {
            event.json = RunEvent::Chunk { content }.to_json().into();
        }
        Some(Taken::Event(event))
    }

    fn pop(&mut self) -> Option<AiEvent> {
        let event = self.events.pop_front()?;
        self.bytes = self.bytes.saturating_sub(event.json.len() + OVERHEAD);
        Some(event)
    }
}

/// The text of a chunk.
fn chunk(event: &AiEvent) -> Option<String> {
    if event.last || event.detached {
        return None;
    }
    match serde_json::from_slice(&event.json) {
        Ok(RunEvent::Chunk { content }) => Some(content),
        _ => None,
    }
}

/// Whether `next` goes on exactly where `event` ends, in the same attempt and generation.
fn adjacent(event: &AiEvent, next: &AiEvent) -> bool {
    let end = event.event_id & 0xffff_ffff;
    event.attempt == next.attempt
        && event.event_id >> 32 == next.event_id >> 32
        && i64::from(next.after) == end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(after: u32, text: &str) -> AiEvent {
        let length = u32::try_from(text.len()).unwrap();
        AiEvent {
            event_id: (1 << 32) + i64::from(after + length),
            json: RunEvent::Chunk {
                content: text.into(),
            }
            .to_json()
            .into(),
            after,
            session: 1,
            attempt: 1,
            ..AiEvent::default()
        }
    }

    fn queue() -> Queue {
        let queue = Queue::default();
        queue.expect(1);
        queue
    }

    #[tokio::test]
    async fn chunks_that_wait_are_one() {
        let queue = queue();
        let texts = ["灵", "犀\"", "\n", "x"];
        let mut at = 1;
        for text in texts {
            assert!(queue.push(event(at, text)));
            at += u32::try_from(text.len()).unwrap();
        }
        // A hole: what is behind it stays apart.
        queue.push(event(at + 5, "y"));
        let done = AiEvent {
            event_id: (1 << 32) + i64::from(at + 7),
            json: r#"{"type":"done"}"#.into(),
            after: at + 6,
            session: 1,
            last: true,
            ..AiEvent::default()
        };
        queue.push(done.clone());
        assert_eq!(queue.take().await, Taken::Event(event(1, "灵犀\"\nx")));
        assert_eq!(queue.take().await, Taken::Event(event(at + 5, "y")));
        assert_eq!(queue.take().await, Taken::Event(done));
        assert_eq!(queue.bytes(), 0);
    }

    #[tokio::test]
    async fn what_is_too_much_is_dropped_and_said() {
        let queue = queue();
        let text = "x".repeat(1000);
        let mut at = 1;
        while queue.push(event(at, &text)) {
            at += 1000;
            assert!(queue.bytes() <= MAX_BYTES);
            assert!(at < 1_000_000, "no bound");
        }
        assert!(queue.push(event(at, "y")), "and nothing more is taken in");
        assert_eq!(queue.bytes(), 0);
        assert_eq!(queue.take().await, Taken::Overflow);
        queue.expect(2);
        queue.push(event(1, "an earlier request's"));
        let answer = AiEvent {
            session: 2,
            ..event(1, "z")
        };
        queue.push(answer.clone());
        assert_eq!(queue.take().await, Taken::Event(answer));
        // One that is larger than the queue comes all the same.
        let large = AiEvent {
            session: 2,
            ..event(1, &"x".repeat(MAX_BYTES))
        };
        assert!(queue.push(large.clone()));
        assert_eq!(queue.take().await, Taken::Event(large));
    }
}
