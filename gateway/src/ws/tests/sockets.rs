//! How many connections a user may have, on however many nodes.

use std::sync::Arc;

use lingxi_bus::SharedBus;
use lingxi_bus::local::LocalBus;
use lingxi_runtime::shutdown::Shutdown;

use super::{ALICE, BOB, queues, session_of};
use crate::ws::close::Close;
use crate::ws::registry::Registry;
use crate::ws::resync::ResyncQueue;
use crate::ws::session::Session;

fn node(bus: &SharedBus, most: usize, shutdown: &Shutdown) -> Arc<Registry> {
    let (resync, _) = ResyncQueue::new();
    Registry::new(bus.clone(), resync, most, shutdown.tasks("connection"))
}

/// Which of the sessions are still open, once everything that was announced has been heard.
async fn open(sessions: &[Arc<Session>]) -> Vec<i64> {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let open = sessions.iter().filter(|s| s.closing().is_none());
    open.map(|s| s.connection_id).collect()
}

#[tokio::test]
async fn the_newest_stay_whatever_node_they_are_on() {
    let (bus, shutdown) = (LocalBus::shared(4), Shutdown::new());
    for most in [1, 3] {
        let nodes = [node(&bus, most, &shutdown), node(&bus, most, &shutdown)];
        let mut sessions = Vec::new();
        for id in 1..=10 {
            let session = session_of(id, ALICE, &queues(1 << 20));
            nodes[usize::try_from(id % 3 / 2).unwrap()]
                .add(&session)
                .await
                .unwrap();
            sessions.push(session);
            let kept = i64::try_from(most).unwrap();
            let expected: Vec<i64> = (1.max(id + 1 - kept)..=id).collect();
            assert_eq!(open(&sessions).await, expected, "at most {most}");
        }
        let closed = sessions[0].closing();
        assert_eq!(closed, Some(Close::Superseded));
        let bob = session_of(11, BOB, &queues(1 << 20));
        nodes[0].add(&bob).await.unwrap();
        assert_eq!(open(&[bob]).await, [11]);
        assert_eq!(open(&sessions).await.len(), most, "each user by themselves");
    }
}

#[tokio::test(start_paused = true)]
async fn those_that_have_ended_count_no_more() {
    let (bus, shutdown) = (LocalBus::shared(4), Shutdown::new());
    let (here, there) = (node(&bus, 3, &shutdown), node(&bus, 3, &shutdown));
    let desk = session_of(1, ALICE, &queues(1 << 20));
    here.add(&desk).await.unwrap();
    for id in 2..40 {
        // A phone with a bad connection.
        let phone = session_of(id, ALICE, &queues(1 << 20));
        there.add(&phone).await.unwrap();
        assert_eq!(open(&[desk.clone(), phone.clone()]).await, [1, id]);
        phone.gone();
        there.remove(&phone);
        tokio::time::advance(std::time::Duration::from_secs(3)).await;
    }
}
