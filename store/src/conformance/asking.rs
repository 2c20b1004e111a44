//! How many answers one user may have under way.

use lingxi_domain::run::{RunKind, RunState, Usage};
use tokio::task::JoinSet;

use super::user;
use crate::{Claim, CreatedRun, FinishedRun, NewRun, NewStep, StepKind, Store};

pub(super) async fn run(store: &Store) {
    let asker = user(store, "asker-of-many").await;
    let other = user(store, "asker-of-one").await;
    a_hundred_at_once_are_three(store, asker).await;
    assert_eq!(create(store, other, "other", None, 3).await, "new");
    what_ended_makes_room(store, asker).await;
    the_oldest_that_waits_is_found(store, other).await;
}

async fn create(
    store: &Store,
    user_id: i64,
    id: &str,
    key: Option<&str>,
    most: u32,
) -> &'static str {
    let new = NewRun {
        id,
        user_id,
        kind: RunKind::Chat,
        lane: "interactive",
        conversation: None,
        input: "question",
        idempotency_key: key,
        deadline_ms: 60_000,
    };
    match store.create_run_within(&new, Some(most)).await.unwrap() {
        CreatedRun::New(_) => "new",
        CreatedRun::Existing(_) => "existing",
        CreatedRun::Conflict => "conflict",
        CreatedRun::TooMany => "too many",
    }
}

async fn a_hundred_at_once_are_three(store: &Store, asker: i64) {
    let mut asked = JoinSet::new();
    for n in 0..100 {
        let store = store.clone();
        asked.spawn(async move { create(&store, asker, &format!("many-{n}"), None, 3).await });
    }
    let made = asked.join_all().await;
    assert_eq!(made.iter().filter(|made| **made == "new").count(), 3);
    assert_eq!(made.iter().filter(|made| **made == "too many").count(), 97);
}

async fn what_ended_makes_room(store: &Store, asker: i64) {
    assert_eq!(
        create(store, asker, "more", Some("key"), 3).await,
        "too many"
    );
    let waiting = store.waiting_run(asker).await.unwrap().unwrap();
    let Claim::Mine(claimed) = store.claim_run(&waiting, "w").await.unwrap() else {
        panic!("not free")
    };
    assert_eq!(
        create(store, asker, "more", Some("key"), 3).await,
        "too many"
    );
    let last = NewStep {
        step: 1,
        kind: StepKind::End,
        generation: 1,
        position: 1,
        body: "{}",
        events: &[],
    };
    let end = FinishedRun {
        state: RunState::Done,
        answer: "",
        usage: Usage::default(),
        error: None,
        last,
    };
    let attempt = claimed.run.attempt;
    store.finish_run(&waiting, attempt, &end).await.unwrap();
    assert_eq!(create(store, asker, "more", Some("key"), 3).await, "new");
    // A repeat is no new run, and finds its own.
    assert_eq!(
        create(store, asker, "again", Some("key"), 3).await,
        "existing"
    );
}

async fn the_oldest_that_waits_is_found(store: &Store, user: i64) {
    assert_eq!(store.waiting_run(user).await.unwrap().unwrap(), "other");
    assert!(matches!(
        store.claim_run("other", "w").await.unwrap(),
        Claim::Mine(_)
    ));
    assert_eq!(store.waiting_run(user).await.unwrap(), None);
}
