//! One user with very much, and others.

use std::time::Duration;

use lingxi_bench::simulator::{Reply, Rule, Script};
use lingxi_domain::run::{RunKind, RunState};
use tokio::time::Instant;

use super::world::World;

#[tokio::test]
async fn a_user_with_many_runs_keeps_nobody_waiting() {
    let slow = Reply::text("one two three four five").paced(4, 4.0);
    let script = Script::always(Reply::text("at once")).rule(Rule::new("greedy", slow));
    let mut world = World::with(script).await;
    world.config.ai.concurrency = 4;
    let bob = world.user("eve").await;
    for n in 0..40 {
        world.ask(&format!("g{n}"), RunKind::Chat, "greedy").await;
    }
    let node = world.worker();
    world
        .gateway
        .until("g0", 1, |events| !events.is_empty())
        .await;
    let begun = Instant::now();
    world.ask_as(bob, "b", RunKind::Chat, "hello", 60_000).await;
    let run = world.finished("b").await;
    assert_eq!(run.state, RunState::Done);
    // All slots would have been taken for ten times an answer's length.
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    // What was passed over is not forgotten, nor left to the sweeper alone.
    let done = Instant::now();
    for n in 0..12 {
        assert_eq!(world.finished(&format!("g{n}")).await.state, RunState::Done);
    }
    assert!(
        done.elapsed() < Duration::from_secs(12),
        "{:?}",
        done.elapsed()
    );
    node.drained().await;
}
