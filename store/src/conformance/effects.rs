//! What tool calls did is done once, and only by who holds the run.

use lingxi_domain::run::RunKind;

use super::user;
use crate::{Claim, Effect, Error, NewRun, Store};

pub(super) async fn run(store: &Store) {
    let new = NewRun {
        id: "conformance",
        user_id: user(store, "conformance.dave").await,
        kind: RunKind::Agent,
        lane: "interactive",
        conversation: None,
        input: "create a group",
        idempotency_key: None,
        deadline_ms: 60_000,
    };
    store.create_run(&new).await.unwrap();
    let Claim::Mine(claimed) = store.claim_run("conformance", "a").await.unwrap() else {
        panic!("not claimed")
    };
    let effect = Effect {
        run_id: "conformance".into(),
        step: 1,
        ordinal: 0,
        attempt: claimed.run.attempt,
    };

    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.begin_effect(None).await.unwrap(),
        None,
        "nothing to guard"
    );
    assert_eq!(
        tx.begin_effect(Some(&effect)).await.unwrap(),
        None,
        "not done yet"
    );
    tx.record_effect(Some(&effect), "rolled back")
        .await
        .unwrap();
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.begin_effect(Some(&effect)).await.unwrap(),
        None,
        "what was rolled back was not done"
    );
    tx.record_effect(Some(&effect), "done").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.begin_effect(Some(&effect)).await.unwrap().as_deref(),
        Some("done"),
        "it is not done again"
    );
    let former = Effect {
        attempt: effect.attempt - 1,
        ordinal: 1,
        ..effect
    };
    assert!(
        matches!(tx.begin_effect(Some(&former)).await, Err(Error::Fenced)),
        "a former worker does nothing"
    );
}
