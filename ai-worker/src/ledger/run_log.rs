//! What a run has said so far, while it executes here. Whoever follows the run reads from it at a position of its own.

use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::{self, StampedEvent};
use lingxi_domain::run::RunEvent;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The most that one run may say, in bytes of text: a model that does not end is ended.
const MAX_BYTES: usize = 1024 * 1024;
/// The most events that one run may have; chunks in a row are one.
const MAX_EVENTS: usize = 32 * 1024;
/// The largest chunk that is handed out as one event, in bytes.
const PIECE: usize = 16 * 1024;
/// About how many bytes of text one reading hands out.
const PORTION: usize = 64 * 1024;

/// The run has said more than any answer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is longer than {MAX_BYTES} bytes or {MAX_EVENTS} events")]
pub(crate) struct Overflow;

/// What a reading found.
#[derive(Debug, PartialEq)]
pub(crate) enum Portion {
    /// These events, in order.
    Events(Vec<StampedEvent>),
    /// Nothing new yet.
    Nothing,
    /// There will be nothing more: the last event was read.
    Ended,
    /// There will be nothing more here: the run was given up or lost before its end.
    Cut,
}

/// The log of one run at one worker. Adjacent chunks are kept as one, so its size is that of the text; a fast reader
/// sees every piece as it came, a slow one gets what piled up in one.
#[derive(Debug)]
pub(crate) struct RunLog {
    generation: u32,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    events: Vec<StampedEvent>,
    /// How many of the events are committed.
    committed: usize,
    bytes: usize,
    closed: bool,
}

impl RunLog {
    /// The log of a run that goes on behind the `committed` events, in `generation`.
    pub(crate) fn new(generation: u32, committed: Vec<StampedEvent>) -> Self {
        let state = State {
            committed: committed.len(),
            events: committed,
            bytes: 0,
            closed: false,
        };
        Self {
            generation,
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// Says something: subscribers see it at once.
    pub(super) fn push(&self, event: RunEvent) -> Result<(), Overflow> {
        let mut state = self.state.lock();
        if !state.has_room(&event) {
            return Err(Overflow);
        }
        state.append(self.generation, event);
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// What the next commit has to hold: all that was said since the last one, and `next` as it will be stamped.
    pub(super) fn staged(&self, next: Option<&RunEvent>) -> Result<Vec<StampedEvent>, Overflow> {
        let state = self.state.lock();
        if next.is_some_and(|event| !state.has_room(event)) {
            return Err(Overflow);
        }
        let mut events: Vec<_> = state.events.iter().skip(state.committed).cloned().collect();
        events.extend(next.map(|event| StampedEvent {
            id: state.stamp(self.generation, event),
            event: event.clone(),
        }));
        Ok(events)
    }

    /// What was staged is committed: only now `next` is heard.
    pub(super) fn settle(&self, next: Option<RunEvent>) {
        let mut state = self.state.lock();
        if let Some(event) = next {
            state.append(self.generation, event);
        }
        state.committed = state.events.len();
        drop(state);
        self.changed.notify_waiters();
    }

    /// The text that was said since the last commit.
    pub(super) fn uncommitted_text(&self) -> String {
        let state = self.state.lock();
        let chunks = state.events.iter().skip(state.committed);
        let chunks = chunks.filter_map(|stamped| match &stamped.event {
            RunEvent::Chunk { content } => Some(content.as_str()),
            _ => None,
        });
        chunks.collect()
    }

    /// The generation of the ids made here.
    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Where the stream stands.
    pub(super) fn position(&self) -> u32 {
        self.state.lock().position()
    }

    /// Where a subscriber that has everything up to `after` goes on, and what it must hear first.
    pub(crate) fn resume(&self, after: EventId) -> (u32, Option<StampedEvent>) {
        replay::resume(&self.state.lock().events, self.generation, after)
    }

    /// What there is behind `position`.
    pub(crate) fn read(&self, position: u32) -> Portion {
        let state = self.state.lock();
        let found = replay::behind(&state.events, position, PIECE, PORTION);
        if !found.is_empty() {
            return Portion::Events(found);
        }
        match (
            state.closed,
            state.events.last().is_some_and(|e| e.event.is_terminal()),
        ) {
            (_, true) => Portion::Ended,
            (true, false) => Portion::Cut,
            (false, false) => Portion::Nothing,
        }
    }

    /// Resolves when something was said after this call; take it before reading.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Nothing more will be said here.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_waiters();
    }
}

impl State {
    fn position(&self) -> u32 {
        self.events.last().map_or(0, |e| e.id.position)
    }

    fn stamp(&self, generation: u32, event: &RunEvent) -> EventId {
        let position = self.position().saturating_add(event.units());
        EventId {
            generation,
            position,
        }
    }

    /// The end is always heard.
    fn has_room(&self, event: &RunEvent) -> bool {
        event.is_terminal()
            || (self.bytes + text_bytes(event) <= MAX_BYTES && self.events.len() < MAX_EVENTS)
    }

    /// Adds an event; a chunk behind one that is not committed makes that one longer.
    fn append(&mut self, generation: u32, event: RunEvent) {
        let id = self.stamp(generation, &event);
        self.bytes += text_bytes(&event);
        self.closed |= event.is_terminal();
        let fresh = self.events.len() > self.committed;
        match (self.events.last_mut().filter(|_| fresh), event) {
            (
                Some(StampedEvent {
                    id: end,
                    event: RunEvent::Chunk { content },
                }),
                RunEvent::Chunk { content: more },
            ) => {
                content.push_str(&more);
                *end = id;
            }
            (_, event) => self.events.push(StampedEvent { id, event }),
        }
    }
}

fn text_bytes(event: &RunEvent) -> usize {
    match event {
        RunEvent::Chunk { content } | RunEvent::Reasoning { content } => content.len(),
        RunEvent::ToolCall { name, args } => name.len() + args.len(),
        RunEvent::ToolResult { name, result, .. } => name.len() + result.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
