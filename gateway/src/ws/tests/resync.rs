//! Rounds, and the queue in which sessions wait for one.

use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::UserId;
use lingxi_domain::role::AccountRole;
use lingxi_runtime::outage::Outage;
use lingxi_store::NewUser;

use super::{ALICE, World, brief, session, stretch, waiting};
use crate::ws::close::Close;
use crate::ws::resync::serve;
use crate::ws::session::Session;

/// None yet.
fn outage() -> Outage {
    Outage::of("the test's rounds")
}

const SOON: Duration = Duration::from_secs(20);

impl World {
    /// The sessions that stand in the queue, of which there is at least one.
    async fn asked(&mut self) -> Vec<Arc<Session>> {
        let next = tokio::time::timeout(SOON, self.asked.next()).await;
        next.expect("somebody asked").unwrap()
    }
}

#[tokio::test]
async fn a_session_stands_in_the_queue_once() {
    let mut world = World::new().await;
    let (alice, bob) = (session(1), session(2));
    for _ in 0..3 {
        world.state.resync.ask(&alice);
        world.state.resync.ask(&bob);
    }
    assert_eq!(world.asked().await.len(), 2);
    // Its round has begun: what is asked for from here on needs another.
    world.state.resync.ask(&alice);
    world.state.resync.ask(&alice);
    let again = world.asked().await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].user_id, ALICE);
}

#[tokio::test]
async fn sessions_that_have_ended_are_left_out() {
    let mut world = World::new().await;
    let sessions: Vec<_> = (1..=3).map(session).collect();
    for session in &sessions {
        world.state.resync.ask(session);
    }
    sessions[0].gone();
    sessions[1].close(Close::Superseded);
    let left: Vec<UserId> = world.asked().await.iter().map(|s| s.user_id).collect();
    assert_eq!(left, [3]);
}

#[tokio::test]
async fn a_round_of_many_entries_leaves_nobody_out() {
    let mut world = World::new().await;
    let users: Vec<UserId> = (1..=50).collect();
    // 5 000 entries of their own and 60 that all share: more than are read at once.
    for &user in &users {
        let key = format!("d:{user}:{user}");
        world.log(&key, &[(user, 1)], 100, 10).await;
    }
    let members: Vec<_> = users.iter().map(|&user| (user, 1)).collect();
    world.log("g:1", &members, 60, 10).await;
    let sessions: Vec<_> = users.iter().map(|&user| session(user)).collect();
    serve(&world.state, &sessions, &mut outage()).await;
    for session in &sessions {
        let own = format!("d:{0}:{0}", session.user_id);
        let mut got = brief(&waiting(session));
        got.sort_unstable();
        let mut expected: Vec<String> = stretch(&own, 1..=100)
            .chain(stretch("g:1", 1..=60))
            .collect();
        expected.sort_unstable();
        assert_eq!(got, expected);
        assert!(!session.is_syncing());
    }
}

#[tokio::test]
async fn who_finds_the_store_away_is_asked_again_and_keeps_the_connection() {
    let mut world = World::new().await;
    let sessions: Vec<_> = (1..=3).map(session).collect();
    world.state.store.close().await;
    // Nothing of the store is waited for any more; the pause before the next round is not waited out.
    tokio::time::pause();
    serve(&world.state, &sessions, &mut outage()).await;
    assert!(
        sessions
            .iter()
            .all(|s| s.closing().is_none() && s.is_syncing())
    );
    assert_eq!(world.asked().await.len(), 3);
}

#[tokio::test]
async fn who_has_very_many_unconfirmed_conversations_is_served_alone() {
    let mut world = World::new().await;
    for number in 1..=400 {
        world
            .log(&format!("g:{number}"), &[(ALICE, 1)], 1, 10)
            .await;
    }
    world.log("g:1000", &[(2, 1)], 1, 10).await;
    let (alice, bob) = (session(ALICE), session(2));
    for session in [&alice, &bob] {
        world.state.resync.ask(session);
    }
    let both = world.asked().await;
    serve(&world.state, &both, &mut outage()).await;
    assert_eq!(waiting(&bob).len(), 1);
    for session in [&alice, &bob] {
        world.state.resync.ask(session);
    }
    let others: Vec<UserId> = world.asked().await.iter().map(|s| s.user_id).collect();
    assert_eq!(others, [2]);
    let alone = world.alone.next().await.unwrap();
    assert_eq!(alone.len(), 1);
    assert_eq!(alone[0].user_id, ALICE);
}

#[tokio::test]
async fn who_is_in_very_many_conversations_is_not_looked_at_with_others() {
    let mut world = World::new().await;
    let everywhere = NewUser {
        username: "everywhere",
        username_key: "everywhere",
        password_hash: "none",
        nickname: "everywhere",
        role: AccountRole::User,
        created_at: 1,
    };
    let everywhere = world.state.store.create_user(&everywhere).await.unwrap();
    let other = everywhere + 1;
    for number in 1..=1001 {
        world
            .log(&format!("g:{number}"), &[(everywhere, 1)], 1, 10)
            .await;
    }
    world.log("g:2000", &[(other, 1)], 1, 10).await;
    let (alice, bob) = (session(everywhere), session(other));
    serve(&world.state, &[alice.clone(), bob.clone()], &mut outage()).await;
    assert_eq!(waiting(&bob).len(), 1);
    assert_eq!(brief(&waiting(&alice)), [""; 0], "others would wait for it");
    let alone = world.alone.next().await.unwrap();
    assert_eq!(alone.len(), 1);
    serve(&world.state, &alone, &mut outage()).await;
    assert_eq!(waiting(&alice).len(), 200);
}
