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

/// Where to go on for somebody who has everything up to `after`: a position in `events`, and the reset to send first if
/// `after` is of a generation older than `generation`, the present one. `events` are those that count, in order.
pub fn resume(
    events: &[StampedEvent],
    generation: u32,
    after: EventId,
) -> (u32, Option<StampedEvent>) {
    if after == EventId::START {
        return (0, None);
    }
    let known = events.partition_point(|e| e.id.generation <= after.generation);
    let end = known
        .checked_sub(1)
        .and_then(|last| events.get(last))
        .map_or(EventId::START, |e| e.id);
    let position = after.position.min(end.position);
    if after.generation >= generation {
        return (position, None);
    }
    let kept = if after.position <= end.position {
        after
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
mod tests {
    use super::*;
    use crate::run::Usage;

    fn id(generation: u32, position: u32) -> EventId {
        EventId {
            generation,
            position,
        }
    }

    /// run (1), a chunk of 9 bytes in generation 1, one of 6 in generation 2, done.
    fn events() -> Vec<StampedEvent> {
        let chunk = |text: &str| RunEvent::Chunk {
            content: text.into(),
        };
        let done = RunEvent::Done {
            content: String::new(),
            usage: Usage::default(),
            finish_reason: "stop".into(),
        };
        vec![
            StampedEvent {
                id: id(1, 1),
                event: RunEvent::Run { run_id: "r".into() },
            },
            StampedEvent {
                id: id(1, 10),
                event: chunk("灵犀好"),
            },
            StampedEvent {
                id: id(2, 16),
                event: chunk("world!"),
            },
            StampedEvent {
                id: id(2, 17),
                event: done,
            },
        ]
    }

    fn text(events: &[StampedEvent]) -> String {
        let chunks = events.iter().filter_map(|e| match &e.event {
            RunEvent::Chunk { content } => Some(content.as_str()),
            _ => None,
        });
        chunks.collect()
    }

    #[test]
    fn from_the_start_everything_comes_without_a_reset() {
        assert_eq!(rest(&events(), 2, EventId::START, 1024), events());
    }

    #[test]
    fn every_cut_gives_exactly_the_remainder() {
        let all = events();
        let whole = "灵犀好world!";
        for position in [1, 4, 7, 10, 11, 16] {
            let missing = rest(&all, 2, id(2, position), 1024);
            assert_eq!(
                text(&missing),
                whole[position as usize - 1..],
                "behind {position}"
            );
            assert_eq!(missing.last().unwrap().id, id(2, 17));
        }
        assert_eq!(rest(&all, 2, id(2, 17), 1024), vec![]);
        assert_eq!(
            rest(&all, 2, id(2, 999), 1024),
            vec![],
            "an id that was never given out"
        );
    }

    #[test]
    fn a_position_inside_a_character_goes_back_to_its_start() {
        let missing = rest(&events(), 2, id(2, 6), 1024);
        assert_eq!(text(&missing), "犀好world!");
    }

    #[test]
    fn pieces_are_cut_at_characters_and_end_where_their_ids_say() {
        let pieces = rest(&events(), 2, id(2, 1), 4);
        assert_eq!(text(&pieces), "灵犀好world!");
        let chunks: Vec<_> = pieces
            .iter()
            .filter(|e| matches!(e.event, RunEvent::Chunk { .. }))
            .collect();
        assert!(chunks.len() > 2);
        let mut at = 1;
        for chunk in chunks {
            assert_eq!(chunk.start(), at);
            at = chunk.id.position;
        }
    }

    #[test]
    fn an_older_generation_drops_what_does_not_count_any_more() {
        // It saw text of generation 1 up to 25; what counts of that ends at 10.
        let missing = rest(&events(), 2, id(1, 25), 1024);
        let RunEvent::Reset { after, .. } = &missing[0].event else {
            panic!("{missing:?}")
        };
        assert_eq!(*after, id(1, 10).to_i64());
        assert_eq!(missing[0].id, id(2, 10));
        assert_eq!(text(&missing), "world!");
        // One that is behind keeps all it has.
        let missing = rest(&events(), 2, id(1, 4), 1024);
        let RunEvent::Reset { after, .. } = &missing[0].event else {
            panic!("{missing:?}")
        };
        assert_eq!(*after, id(1, 4).to_i64());
        assert_eq!(text(&missing), "犀好world!");
        // What the client makes of the reset's own id leads on without a loss.
        assert_eq!(text(&rest(&events(), 2, id(2, 10), 1024)), "world!");
    }

    #[test]
    fn a_limit_ends_a_portion_and_the_next_goes_on() {
        let all = events();
        let mut position = 0;
        let mut got = String::new();
        loop {
            let portion = behind(&all, position, 3, 3);
            let Some(last) = portion.last() else { break };
            position = last.id.position;
            got += &text(&portion);
        }
        assert_eq!(got, "灵犀好world!");
    }
}
