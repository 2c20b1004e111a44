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
}

#[test]
fn an_id_that_was_never_given_out_is_reset_to_one_that_was() {
    let kept = |missing: &[StampedEvent]| match &missing[0].event {
        RunEvent::Reset { after, .. } => EventId::from_i64(*after).unwrap(),
        other => panic!("{other:?}"),
    };
    for (never, wanted, left) in [
        (id(2, 6), id(2, 4), "犀好world!"),
        (id(1, 6), id(1, 4), "犀好world!"),
        (id(2, 999), id(2, 17), ""),
        (id(7, 6), id(2, 4), "犀好world!"),
        (id(7, 999), id(2, 17), ""),
        (id(7, 4), id(2, 4), "犀好world!"),
    ] {
        let missing = rest(&events(), 2, never, 1024);
        assert_eq!(kept(&missing), wanted, "{never:?}");
        assert_eq!(text(&missing), left, "{never:?}");
        assert_eq!(missing[0].id.position, wanted.position, "{never:?}");
    }
}

#[test]
fn what_was_given_out_is_known_as_far_as_it_can_be() {
    let all = events();
    let known = |ended, after| gave_out(&all, 2, ended, after);
    for given in [
        EventId::START,
        id(1, 1),
        id(1, 4),
        id(1, 10),
        id(2, 10),
        id(2, 17),
    ] {
        assert_eq!(known(false, given), Some(true), "{given:?}");
    }
    for never in [id(0, 4), id(1, 0), id(2, 6), id(1, 5), id(3, 1), id(9, 99)] {
        assert_eq!(known(false, never), Some(false), "{never:?}");
    }
    // Text of an older attempt, and text that is not committed yet.
    assert_eq!(known(true, id(1, 25)), None);
    assert_eq!(known(false, id(2, 25)), None);
    assert_eq!(known(true, id(2, 25)), Some(false));
}

/// What a subscriber makes of a replay: pieces until nothing is missing, each beginning where it stands.
fn follow(all: &[StampedEvent], generation: u32, after: EventId, piece: usize, limit: usize) {
    let end = all.last().map_or(0, |e| e.id.position);
    let (mut position, reset) = resume(all, generation, after);
    let stands = reset.as_ref().map_or(after.position, |r| r.id.position);
    assert_eq!(stands, position, "{after:?}");
    assert!(position <= end, "{after:?}");
    if let Some(reset) = reset {
        let again = resume(
            all,
            generation,
            EventId {
                generation,
                ..reset.id
            },
        );
        assert_eq!(again, (position, None), "{after:?} is reset once");
    }
    for _ in 0..=end {
        let portion = behind(all, position, piece, limit);
        let Some(last) = portion.last() else { break };
        for event in &portion {
            assert_eq!(event.start(), position, "{after:?}");
            assert!(event.id.position > position, "{after:?}");
            position = event.id.position;
        }
        assert_eq!(last.id.position, position);
    }
    assert_eq!(position, end, "{after:?}");
}

#[test]
fn any_id_against_any_log_is_followed_to_its_end() {
    let words = ["a", "灵犀", "é!", "👋🏽", "one two three "];
    // A small generator of its own: the same logs in every run.
    let mut seed = 0x9e37_79b9_u64;
    let mut dice = |sides: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % u64::try_from(sides).unwrap()).unwrap()
    };
    for _ in 0..2_000 {
        let (mut generation, mut position) = (1, 0);
        let mut all = Vec::new();
        for _ in 0..dice(8) {
            generation += u32::from(dice(3) == 0);
            let event = match dice(3) {
                0 => RunEvent::Reasoning {
                    content: "hm".into(),
                },
                _ => RunEvent::Chunk {
                    content: words[dice(words.len())].repeat(1 + dice(4)),
                },
            };
            position += event.units();
            all.push(StampedEvent {
                id: id(generation, position),
                event,
            });
        }
        generation += u32::from(dice(3) == 0);
        for _ in 0..20 {
            let after = id(
                u32::try_from(dice(6)).unwrap(),
                u32::try_from(dice(2 + 2 * position as usize)).unwrap(),
            );
            let after = match dice(20) {
                0 => id(u32::MAX, u32::MAX),
                1 => EventId::START,
                _ => after,
            };
            follow(&all, generation, after, 1 + dice(8), 1 + dice(40));
            if gave_out(&all, generation, true, after) == Some(true) {
                let (place, _) = resume(&all, generation, after);
                assert_eq!(place, after.position, "{after:?} was given out");
            }
        }
    }
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
