use lingxi_domain::run::Usage;

use super::*;

fn chunk(text: &str) -> RunEvent {
    RunEvent::Chunk {
        content: text.into(),
    }
}

fn done() -> RunEvent {
    RunEvent::Done {
        content: String::new(),
        usage: Usage::default(),
        finish_reason: "stop".into(),
    }
}

fn started() -> RunLog {
    let id = EventId {
        generation: 1,
        position: 1,
    };
    RunLog::new(
        3,
        vec![StampedEvent {
            id,
            event: RunEvent::Run { run_id: "r".into() },
        }],
    )
}

fn events(log: &RunLog, position: u32) -> Vec<StampedEvent> {
    match log.read(position) {
        Portion::Events(events) => events,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fast_reader_sees_each_piece_and_a_slow_one_their_sum() {
    let log = started();
    log.push(chunk("你")).unwrap();
    let first = events(&log, 1);
    assert_eq!(first[0].event, chunk("你"));
    assert_eq!(
        first[0].id,
        EventId {
            generation: 3,
            position: 4
        }
    );
    log.push(chunk("好")).unwrap();
    assert_eq!(events(&log, 4)[0].event, chunk("好"));
    assert_eq!(events(&log, 1)[0].event, chunk("你好"));
    assert_eq!(log.read(7), Portion::Nothing);
    log.push(done()).unwrap();
    assert_eq!(events(&log, 7)[0].event, done());
    assert_eq!(log.read(8), Portion::Ended);
}

#[test]
fn a_commit_takes_what_was_said_since_the_last() {
    let log = started();
    let staged = |next: Option<&RunEvent>| log.staged(next).unwrap();
    assert_eq!(staged(None), vec![]);
    log.push(chunk("ab")).unwrap();
    let events = staged(Some(&done()));
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].id.position, 4);
    assert_eq!(log.read(3), Portion::Nothing, "staged is not said");
    log.settle(None);
    assert_eq!(staged(None), vec![]);
    log.push(chunk("cd")).unwrap();
    assert_eq!(
        staged(None)[0].event,
        chunk("cd"),
        "a committed chunk does not grow"
    );
    log.settle(Some(done()));
    assert_eq!(self::events(&log, 5)[0].event, done());
}

#[test]
fn a_run_without_an_end_is_cut_and_a_log_has_a_bound() {
    let log = started();
    log.close();
    assert_eq!(log.read(1), Portion::Cut);
    let log = started();
    let much = "x".repeat(MAX_BYTES / 4);
    for _ in 0..4 {
        log.push(chunk(&much)).unwrap();
    }
    assert_eq!(log.push(chunk("x")), Err(Overflow));
    assert_eq!(log.staged(Some(&chunk("x"))), Err(Overflow));
    assert!(log.push(done()).is_ok(), "the end is always heard");
    let mut position = 0;
    while let Portion::Events(portion) = log.read(position) {
        position = portion.last().unwrap().id.position;
    }
    assert_eq!(log.read(position), Portion::Ended);
    let log = started();
    let thought = || RunEvent::Reasoning {
        content: "x".into(),
    };
    for _ in 1..MAX_EVENTS {
        log.push(thought()).unwrap();
    }
    assert_eq!(log.push(thought()), Err(Overflow), "events cost, too");
}

#[tokio::test]
async fn readers_are_woken() {
    let log = std::sync::Arc::new(started());
    let reader = tokio::spawn({
        let log = log.clone();
        async move {
            let mut position = 1;
            let mut text = String::new();
            loop {
                let changed = log.changed();
                tokio::pin!(changed);
                changed.as_mut().enable();
                match log.read(position) {
                    Portion::Events(events) => {
                        for stamped in events {
                            position = stamped.id.position;
                            if let RunEvent::Chunk { content } = stamped.event {
                                text += &content;
                            }
                        }
                    }
                    Portion::Nothing => changed.await,
                    _ => return text,
                }
            }
        }
    });
    for n in 0..100 {
        log.push(chunk(&format!("{n},"))).unwrap();
        tokio::task::yield_now().await;
    }
    log.push(done()).unwrap();
    let text = reader.await.unwrap();
    assert_eq!(text.split_terminator(',').count(), 100);
}
