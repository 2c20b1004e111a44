//! Runs: claimed, committed step by step, swept, ended.

use std::time::Duration;

use lingxi_domain::ErrorCode;
use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::{RunEvent, RunKind, RunState, Usage};

use crate::sql::args;
use crate::{
    Claim, ClaimedRun, CreatedRun, Effect, Error, FinishedRun, HeldRun, NewRun, NewStep, Released,
    StepKind, Store, SweptRun,
};

/// Each case begins without any runs: the sweeper looks at all there are.
pub(super) async fn run(store: &Store) {
    macro_rules! cases {
        ($($case:ident,)*) => { $(
            clear(store).await;
            $case(store).await;
        )* };
    }
    cases! {
        the_same_key_and_question_are_one_run,
        a_run_has_one_worker_at_a_time,
        steps_and_the_end_come_back_as_they_were,
        the_sweeper_finds_each_lost_run_once,
        giving_back_is_no_failure_and_five_failures_end_it,
        a_lease_ends_by_the_databases_clock,
        what_ended_long_ago_is_removed,
    }
    clear(store).await;
}

async fn clear(store: &Store) {
    for table in ["run_effects", "run_steps", "runs"] {
        store
            .execute(format!("DELETE FROM {table}"), vec![])
            .await
            .unwrap();
    }
}

fn new<'a>(id: &'a str, key: Option<&'a str>) -> NewRun<'a> {
    NewRun {
        id,
        user_id: 7,
        kind: RunKind::Agent,
        lane: "interactive",
        conversation: None,
        input: "question",
        idempotency_key: key,
        deadline_ms: 60_000,
    }
}

async fn claimed(store: &Store, id: &str, worker: &str) -> ClaimedRun {
    match store.claim_run(id, worker).await.unwrap() {
        Claim::Mine(claimed) => *claimed,
        other => panic!("{other:?}"),
    }
}

/// What a worker that died looks like.
async fn expire(store: &Store, id: &str) {
    let mut tx = store.begin().await.unwrap();
    tx.conn
        .execute(
            "UPDATE runs SET lease_expires_at = 1 WHERE id = ?",
            args![id],
        )
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn chunk(generation: u32, position: u32, text: &str) -> StampedEvent {
    StampedEvent {
        id: EventId {
            generation,
            position,
        },
        event: RunEvent::Chunk {
            content: text.into(),
        },
    }
}

fn step<'a>(step: i64, generation: u32, position: u32, events: &'a [StampedEvent]) -> NewStep<'a> {
    NewStep {
        step,
        kind: StepKind::Model,
        generation,
        position,
        body: "{\"turn\":1}",
        events,
    }
}

fn end<'a>(last: NewStep<'a>) -> FinishedRun<'a> {
    let usage = Usage {
        prompt_tokens: 3,
        completion_tokens: 4,
    };
    let last = NewStep {
        kind: StepKind::End,
        ..last
    };
    FinishedRun {
        state: RunState::Done,
        answer: "answer",
        usage,
        error: None,
        last,
    }
}

async fn the_same_key_and_question_are_one_run(store: &Store) {
    let CreatedRun::New(first) = store.create_run(&new("a", Some("k"))).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        (first.state, first.attempt, first.generation),
        (RunState::Queued, 0, 1)
    );
    let again = store.create_run(&new("b", Some("k"))).await.unwrap();
    assert_eq!(again, CreatedRun::Existing(first));
    let other = NewRun {
        input: "another",
        ..new("c", Some("k"))
    };
    assert_eq!(
        store.create_run(&other).await.unwrap(),
        CreatedRun::Conflict
    );
    let other = NewRun {
        kind: RunKind::Chat,
        ..new("c", Some("k"))
    };
    assert_eq!(
        store.create_run(&other).await.unwrap(),
        CreatedRun::Conflict
    );
    let foreign = NewRun {
        user_id: 8,
        ..new("d", Some("k"))
    };
    assert!(matches!(
        store.create_run(&foreign).await.unwrap(),
        CreatedRun::New(_)
    ));
    assert!(matches!(
        store.create_run(&new("e", None)).await.unwrap(),
        CreatedRun::New(_)
    ));
    assert_eq!(store.run("b").await.unwrap(), None);
    let (one, two) = (new("x", Some("both")), new("y", Some("both")));
    let (one, two) = tokio::join!(store.create_run(&one), store.create_run(&two));
    let made = [one.unwrap(), two.unwrap()];
    assert_eq!(
        made.iter()
            .filter(|m| matches!(m, CreatedRun::New(_)))
            .count(),
        1,
        "{made:?}"
    );
    assert_eq!(
        made.iter()
            .filter(|m| matches!(m, CreatedRun::Existing(_)))
            .count(),
        1,
        "{made:?}"
    );
    let steps = store.run_steps("a").await.unwrap();
    assert_eq!(
        steps[0].events[0].event,
        RunEvent::Run { run_id: "a".into() }
    );
}

async fn a_run_has_one_worker_at_a_time(store: &Store) {
    store.create_run(&new("a", None)).await.unwrap();
    let first = claimed(store, "a", "w1").await;
    assert_eq!(
        (first.run.attempt, first.run.generation, first.run.state),
        (1, 1, RunState::Running)
    );
    assert!(
        (50_000..=60_000).contains(&first.remaining_ms),
        "{}",
        first.remaining_ms
    );
    assert_eq!(store.claim_run("a", "w2").await.unwrap(), Claim::Held);
    assert_eq!(store.claim_run("none", "w2").await.unwrap(), Claim::Unknown);
    let asked = [("a".to_owned(), 1), ("none".to_owned(), 1)];
    let held = store.renew_run_leases("w1", &asked).await.unwrap();
    assert_eq!(
        held,
        [HeldRun {
            run_id: "a".into(),
            attempt: 1,
            stop_requested: false
        }]
    );
    assert_eq!(store.renew_run_leases("w2", &asked).await.unwrap(), []);

    expire(store, "a").await;
    let second = claimed(store, "a", "w2").await;
    assert_eq!(
        (
            second.run.attempt,
            second.run.generation,
            second.run.failures
        ),
        (2, 2, 1)
    );
    assert_eq!(
        store.renew_run_leases("w1", &asked).await.unwrap(),
        [],
        "the first has lost it"
    );
    let events = [chunk(1, 5, "text")];
    let late = store.commit_step("a", 1, &step(1, 1, 5, &events)).await;
    assert!(matches!(late, Err(Error::Fenced)), "{late:?}");
    let late = store.finish_run("a", 1, &end(step(1, 1, 5, &events))).await;
    assert!(matches!(late, Err(Error::Fenced)), "{late:?}");
    assert_eq!(store.run_steps("a").await.unwrap().len(), 1);
}

async fn steps_and_the_end_come_back_as_they_were(store: &Store) {
    store.create_run(&new("a", None)).await.unwrap();
    claimed(store, "a", "w1").await;
    let events = [chunk(1, 5, "text")];
    store
        .commit_step("a", 1, &step(1, 1, 5, &events))
        .await
        .unwrap();
    expire(store, "a").await;
    let second = claimed(store, "a", "w2").await;
    assert_eq!(second.steps.len(), 2);
    assert_eq!(second.steps[1].events, events);
    assert_eq!(
        (second.steps[1].position, second.steps[1].kind),
        (5, StepKind::Model)
    );
    let events = [chunk(2, 9, "more")];
    store
        .finish_run("a", 2, &end(step(2, 2, 9, &events)))
        .await
        .unwrap();
    let again = store.finish_run("a", 2, &end(step(3, 2, 9, &events))).await;
    assert!(
        matches!(again, Err(Error::Fenced)),
        "ended twice: {again:?}"
    );
    let run = store.run("a").await.unwrap().unwrap();
    assert_eq!(
        (run.state, run.answer.as_deref()),
        (RunState::Done, Some("answer"))
    );
    assert_eq!(
        run.usage,
        Usage {
            prompt_tokens: 3,
            completion_tokens: 4
        }
    );
    assert!(run.finished_at.is_some());
    assert_eq!(store.claim_run("a", "w3").await.unwrap(), Claim::Finished);
    assert_eq!(store.requeueable_runs(10).await.unwrap(), []);
}

async fn the_sweeper_finds_each_lost_run_once(store: &Store) {
    store.create_run(&new("queued", None)).await.unwrap();
    store.create_run(&new("lost", None)).await.unwrap();
    claimed(store, "lost", "w1").await;
    assert_eq!(
        store.requeueable_runs(10).await.unwrap(),
        [],
        "a new run is left to its first delivery"
    );
    expire(store, "queued").await;
    expire(store, "lost").await;
    let mut swept = store.requeueable_runs(10).await.unwrap();
    swept.sort_by_key(|s| format!("{s:?}"));
    let requeued = |id: &str| SweptRun::Requeued {
        run_id: id.into(),
        lane: "interactive".into(),
        user_id: 7,
    };
    assert_eq!(swept, [requeued("lost"), requeued("queued")]);
    assert_eq!(store.requeueable_runs(10).await.unwrap(), []);
    let fenced = store.commit_step("lost", 1, &step(1, 1, 1, &[])).await;
    assert!(matches!(fenced, Err(Error::Fenced)), "{fenced:?}");
    let effect = Effect {
        run_id: "lost".into(),
        step: 1,
        ordinal: 0,
        attempt: 1,
    };
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(
        tx.begin_effect(Some(&effect)).await,
        Err(Error::Fenced)
    ));
    drop(tx);
    let taken = claimed(store, "lost", "w2").await;
    assert_eq!((taken.run.attempt, taken.run.failures), (2, 1));
}

async fn giving_back_is_no_failure_and_five_failures_end_it(store: &Store) {
    store.create_run(&new("a", None)).await.unwrap();
    for why in [Released::Stopping, Released::Away] {
        for _ in 0..10 {
            let attempt = claimed(store, "a", "w").await.run.attempt;
            store.release_run("a", attempt, why).await.unwrap();
        }
    }
    let attempt = claimed(store, "a", "w").await.run.attempt;
    let events = [chunk(9, 5, "text")];
    store
        .commit_step("a", attempt, &step(1, 9, 5, &events))
        .await
        .unwrap();
    store
        .release_run("a", attempt, Released::Failed)
        .await
        .unwrap();
    for failures in 1..5 {
        let claim = claimed(store, "a", "w").await;
        assert_eq!(claim.run.failures, failures);
        assert_eq!(
            store.claim_run("a", "w2").await.unwrap(),
            Claim::Held,
            "a live attempt is not given up"
        );
        expire(store, "a").await;
        if failures == 2 {
            assert!(matches!(
                &store.requeueable_runs(1).await.unwrap()[..],
                [SweptRun::Requeued { .. }]
            ));
        }
    }
    assert_eq!(
        store.requeueable_runs(1).await.unwrap(),
        [SweptRun::GivenUp { run_id: "a".into() }]
    );
    let run = store.run("a").await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.error.unwrap().0, ErrorCode::Internal);
    let steps = store.run_steps("a").await.unwrap();
    let last = steps.last().unwrap();
    assert!(
        matches!(last.events[0].event, RunEvent::Error { .. }),
        "{last:?}"
    );
    assert_eq!(
        last.events[0].id,
        EventId {
            generation: run.generation,
            position: 6
        }
    );
    assert_eq!(store.claim_run("a", "w").await.unwrap(), Claim::Finished);
}

async fn a_lease_ends_by_the_databases_clock(store: &Store) {
    let short = NewRun {
        deadline_ms: -5,
        ..new("a", None)
    };
    store.create_run(&short).await.unwrap();
    let claim = claimed(store, "a", "w1").await;
    assert!(claim.remaining_ms < 0);
    store
        .release_run("a", claim.run.attempt, Released::Failed)
        .await
        .unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while store.requeueable_runs(1).await.unwrap().is_empty() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "it never comes back"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn what_ended_long_ago_is_removed(store: &Store) {
    for id in ["a", "b", "c", "open"] {
        store.create_run(&new(id, Some(id))).await.unwrap();
    }
    for id in ["a", "b", "c"] {
        claimed(store, id, "w").await;
        let events = [chunk(1, 5, "text")];
        store
            .finish_run(id, 1, &end(step(1, 1, 5, &events)))
            .await
            .unwrap();
    }
    let ended = store.run("c").await.unwrap().unwrap().finished_at.unwrap();
    assert_eq!(store.prune_runs(1, 10).await.unwrap(), 0, "too young");
    assert_eq!(store.prune_runs(ended + 1, 2).await.unwrap(), 2);
    assert_eq!(store.prune_runs(ended + 1, 2).await.unwrap(), 1);
    assert_eq!(store.prune_runs(ended + 1, 2).await.unwrap(), 0);
    for id in ["a", "b", "c"] {
        assert!(store.run(id).await.unwrap().is_none());
        assert!(store.run_steps(id).await.unwrap().is_empty());
    }
    let open = store.run("open").await.unwrap().unwrap();
    assert_eq!(open.state, RunState::Queued, "what has not ended stays");
    assert_eq!(store.run_steps("open").await.unwrap().len(), 1);
}
