//! Which events of a run somebody still needs who has some of them already.
//!
//! A run's events form one sequence with rising positions; each new generation goes on where the last one that counts
//! ended. So the events up to a position are the same for everyone whose generation reached that far, and whoever had
//! more of an older generation must drop the surplus first.

use crate::event_id::EventId;
use crate::run::RunEvent;

/// An event with its id.
#[derive(Clone, Debug, PartialEq)]
pub struct StampedEvent {
    /// The place behind the event.
    pub id: EventId,
    /// What happened.
    pub event: RunEvent,
}

impl StampedEvent {
    /// The position before the event.
    pub fn start(&self) -> u32 {
        self.id.position.saturating_sub(self.event.units())
    }
}

/// Whether a run can have given `after` out, as far as `events`, what it committed, can tell: `None` where only the worker
/// that said it could. `generation` is the present one; `ended` says that `events` are all there will be.
pub fn gave_out(
    events: &[StampedEvent],
    generation: u32,
    ended: bool,
    after: EventId,
) -> Option<bool> {
    if after == EventId::START {
        return Some(true);
    }
    if after.generation == 0 || after.position == 0 || after.generation > generation {
        return Some(false);
    }
    if after.position <= end_of(events, after.generation).position {
        return Some(floor(events, after.position) == after.position);
    }
    // Text that was said and not committed is known to nobody any more.
    (ended && after.generation == generation).then_some(false)
}

/// Where to go on for somebody who has everything up to `after`: a position in `events`, and the reset to send first where
/// that is not exactly behind `after`: it is of a generation older than `generation`, the present one, or it was never
/// given out (it lies inside a character, or beyond what was said). `events` are those that count, in order.
pub fn resume(
    events: &[StampedEvent],
    generation: u32,
    after: EventId,
) -> (u32, Option<StampedEvent>) {
    if after == EventId::START {
        return (0, None);
    }
    let end = end_of(events, after.generation);
    let position = floor(events, after.position.min(end.position));
    if after.generation == generation && after.position == position {
        return (position, None);
    }
    // What the client keeps, by an id that exists.
    let kept = EventId {
        generation: after.generation.min(generation),
        position,
    };
    let kept = if after.position <= end.position {
        kept
    } else {
        end
    };
    let next = events
        .get(first_behind(events, position))
        .map_or(generation, |e| e.id.generation);
    let event = RunEvent::Reset {
        reason: "taken_over".into(),
        after: kept.to_i64(),
    };
    (
        position,
        Some(StampedEvent {
            id: EventId {
                generation: next,
                position,
            },
            event,
        }),
    )
}

/// The last event of `generation` or an older one.
fn end_of(events: &[StampedEvent], generation: u32) -> EventId {
    let known = events.partition_point(|e| e.id.generation <= generation);
    let last = known.checked_sub(1).and_then(|last| events.get(last));
    last.map_or(EventId::START, |e| e.id)
}

/// The last place up to `position` that is not inside a character.
fn floor(events: &[StampedEvent], position: u32) -> u32 {
    let Some(stamped) = events.get(first_behind(events, position)) else {
        return position;
    };
    let RunEvent::Chunk { content } = &stamped.event else {
        return position;
    };
    let start = stamped.start();
    let inside = usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
    let floor = content.floor_char_boundary(inside.min(content.len()));
    start.saturating_add(u32::try_from(floor).unwrap_or(u32::MAX))
}

/// The events behind `position`, in order; chunks are cut there and into pieces of at most `piece` bytes, at character
/// boundaries. At most about `limit` bytes of text at a time: ask again behind the last one for more.
pub fn behind(
    events: &[StampedEvent],
    position: u32,
    piece: usize,
    limit: usize,
) -> Vec<StampedEvent> {
    let mut found = Vec::new();
    let mut bytes = 0;
    for stamped in events.iter().skip(first_behind(events, position)) {
        let RunEvent::Chunk { content } = &stamped.event else {
            bytes += 64;
            found.push(stamped.clone());
            if bytes >= limit {
                return found;
            }
            continue;
        };
        let start = stamped.start();
        let skipped = usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
        let mut from = content.floor_char_boundary(skipped.min(content.len()));
        while from < content.len() {
            let upto =
                content.ceil_char_boundary(from.saturating_add(piece.max(1)).min(content.len()));
            let Some(text) = content.get(from..upto) else {
                break;
            };
            let end = start.saturating_add(u32::try_from(upto).unwrap_or(u32::MAX));
            let id = EventId {
                generation: stamped.id.generation,
                position: end,
            };
            found.push(StampedEvent {
                id,
                event: RunEvent::Chunk {
                    content: text.to_owned(),
                },
            });
            bytes += text.len();
            from = upto;
            if bytes >= limit {
                return found;
            }
        }
    }
    found
}

/// Everything that is missing behind `after`, the reset included.
pub fn rest(
    events: &[StampedEvent],
    generation: u32,
    after: EventId,
    piece: usize,
) -> Vec<StampedEvent> {
    let (position, reset) = resume(events, generation, after);
    reset
        .into_iter()
        .chain(behind(events, position, piece, usize::MAX))
        .collect()
}

fn first_behind(events: &[StampedEvent], position: u32) -> usize {
    events.partition_point(|e| e.id.position <= position)
}

#[cfg(test)]
mod tests;
