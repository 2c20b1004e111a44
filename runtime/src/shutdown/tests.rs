use std::time::Duration;

use super::{Shutdown, StillRunning};

#[tokio::test]
async fn tasks_hear_the_signal_and_are_waited_for() {
    let shutdown = Shutdown::new();
    let token = shutdown.token();
    shutdown.spawn("worker", async move { token.cancelled().await });
    assert!(!shutdown.is_triggered());
    shutdown.trigger();
    assert_eq!(shutdown.wait_all(Duration::from_secs(5)).await, Ok(()));
    assert!(shutdown.abort_all().is_empty());
}

#[tokio::test]
async fn what_is_left_at_the_deadline_is_named_and_aborted() {
    let shutdown = Shutdown::new();
    shutdown.spawn("stuck", std::future::pending());
    shutdown.spawn("quick", async {});
    shutdown.trigger();
    let left = shutdown.wait_all(Duration::from_millis(50)).await;
    assert_eq!(left, Err(StillRunning(vec!["stuck"])));
    assert_eq!(shutdown.wait_all(Duration::from_secs(5)).await, Ok(()));
}

#[tokio::test]
async fn short_tasks_are_waited_for_aborted_and_missed() {
    let shutdown = Shutdown::new();
    let connections = shutdown.tasks("connection");
    connections.spawn(async {});
    connections.spawn(std::future::pending());
    shutdown.trigger();
    let left = shutdown.wait_all(Duration::from_millis(50)).await;
    assert_eq!(left, Err(StillRunning(vec![])));
    assert_eq!(shutdown.wait_all(Duration::from_secs(5)).await, Ok(()));

    let shutdown = Shutdown::new();
    shutdown
        .tasks("connection")
        .spawn(async { panic!("on purpose") });
    shutdown.cancelled().await;
    assert_eq!(shutdown.failed(), Some("connection"));
}

#[tokio::test]
async fn a_panic_stops_the_system() {
    let shutdown = Shutdown::new();
    let token = shutdown.token();
    shutdown.spawn("good", async move { token.cancelled().await });
    shutdown.spawn("short", async {});
    assert_eq!(shutdown.failed(), None);
    shutdown.spawn("bad", async { panic!("on purpose") });
    assert_eq!(shutdown.wait_all(Duration::from_secs(5)).await, Ok(()));
    assert!(shutdown.is_triggered());
    assert_eq!(shutdown.failed(), Some("bad"));
}

#[tokio::test]
async fn two_systems_in_one_process_stop_apart() {
    let (one, two) = (Shutdown::new(), Shutdown::new());
    one.trigger();
    assert!(one.is_triggered() && !two.is_triggered());
}
