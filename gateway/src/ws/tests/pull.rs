//! What a device gets that says what it has.

use std::collections::HashMap;

use lingxi_domain::limits;
use serde_json::json;

use super::{ALICE, BOB, World, brief, session, stretch, waiting};
use crate::ws::pull::answer;
use crate::ws::session::Session;

fn cursors(have: &[(&str, i64)]) -> HashMap<String, i64> {
    have.iter()
        .map(|&(key, seq)| (key.to_owned(), seq))
        .collect()
}

fn gap(conversations: serde_json::Value) -> String {
    json!({"type": 5, "event": "gap", "conversations": conversations}).to_string()
}

/// Asks; what is refused is told, as the command does.
async fn ask(world: &World, session: &Session, cursors: HashMap<String, i64>) {
    if let Err(error) = answer(&world.state, session, cursors).await {
        session.push_plain(lingxi_domain::frame::server::failed("", error.code(), ""));
    }
}

#[tokio::test]
async fn each_conversation_from_where_the_device_stands_and_the_rest_as_gaps() {
    let mut world = World::new().await;
    world.log("d:1:2", &[(ALICE, 1), (BOB, 1)], 5, 10).await;
    world.log("g:10", &[(ALICE, 1)], 130, 10).await;
    world.log("g:11", &[(ALICE, 4)], 8, 10).await;
    world.log("g:12", &[(BOB, 1)], 9, 10).await;
    world.log("g:13", &[(ALICE, 1)], 3, 10).await;
    world.log("g:14", &[(ALICE, 1)], 100, 10).await;
    world.log("g:15", &[(ALICE, 1), (BOB, 1)], 7, 10).await;
    world.log("g:16", &[(ALICE, 21)], 20, 10).await;
    world.log("g:9", &[(ALICE, 1)], 6, 10).await;
    let mut tx = world.state.store.begin().await.unwrap();
    tx.end_membership("g:9", ALICE, 4).await.unwrap();
    tx.commit().await.unwrap();
    let alice = session(ALICE);
    let have = [
        ("d:1:2", 2),
        ("g:10", 5),
        ("g:11", 0),
        ("g:12", 0),
        ("g:13", 3),
        ("g:14", 1),
        ("g:15", i64::MAX),
        ("g:16", 0),
        ("g:9", 2),
        ("g:99", 0),
        ("x", 0),
    ];
    ask(&world, &alice, cursors(&have)).await;
    let got = waiting(&alice);
    // 3 + 100 + 5, so that 92 are left for g:14 and none for g:9.
    let expected: Vec<String> = stretch("d:1:2", 3..=5)
        .chain(stretch("g:10", 6..=105))
        .chain(stretch("g:11", 4..=8))
        .chain(stretch("g:14", 2..=93))
        .chain([gap(json!([
            {"conversation": "g:10", "after": 105, "last_seq": 130},
            {"conversation": "g:14", "after": 93, "last_seq": 100},
            {"conversation": "g:9", "after": 2, "last_seq": 4},
        ]))])
        .collect();
    assert_eq!(brief(&got), expected);
    assert_eq!(got[0]["content"], "x".repeat(10));

    ask(&world, &alice, cursors(&[("g:12", 0), ("g:13", 3)])).await;
    ask(&world, &alice, cursors(&[])).await;
    assert_eq!(brief(&waiting(&alice)), [""; 0], "nothing to send");
    ask(&world, &alice, cursors(&[("g:9", 0)])).await;
    let former: Vec<String> = stretch("g:9", 1..=4).collect();
    assert_eq!(brief(&waiting(&alice)), former, "up to where she left");
}

#[tokio::test]
async fn what_would_overfill_the_queue_is_told_as_gaps() {
    let mut world = World::new().await;
    let keys = ["g:10", "g:11", "g:12", "g:13"];
    for key in keys {
        world.log(key, &[(ALICE, 1)], 45, 30 * 1024).await;
    }
    let alice = session(ALICE);
    let have = keys.map(|key| (key, 5));
    ask(&world, &alice, cursors(&have)).await;
    // All 160 entries are 4.8 MiB. As many are pushed as may be queued, and the gaps begin right behind them.
    let got = waiting(&alice);
    let (gaps, pushed) = got.split_last().unwrap();
    let bytes: usize = pushed.iter().map(|entry| entry.to_string().len()).sum();
    let room = limits::ROUND_BYTES.checked_sub(bytes);
    let room = room.expect("no more than may be queued");
    assert!(room < 31 * 1024, "another one had room: {room}");
    let left: Vec<String> = stretch("g:10", 6..=45)
        .chain(stretch("g:11", 6..=45))
        .collect();
    let (fits, _) = left.split_at(pushed.len());
    assert_eq!(brief(pushed), fits);
    let after = 5 + pushed.len() - 40;
    assert_eq!(
        gaps.to_string(),
        gap(json!([
            {"conversation": "g:11", "after": after, "last_seq": 45},
            {"conversation": "g:12", "after": 5, "last_seq": 45},
            {"conversation": "g:13", "after": 5, "last_seq": 45},
        ]))
    );
    assert_eq!(alice.closing(), None);

    alice.push_plain(vec![b' '; 2 * 1024 * 1024 + 1]);
    ask(&world, &alice, cursors(&have[..1])).await;
    let frames: Vec<_> = std::iter::from_fn(|| alice.take()).flatten().collect();
    assert_eq!(frames.len(), 2);
    let last: serde_json::Value = serde_json::from_slice(&frames[1].json).unwrap();
    assert_eq!(
        last.to_string(),
        gap(json!([{"conversation": "g:10", "after": 5, "last_seq": 45}])),
        "nothing of it, for what waited before"
    );
}

#[tokio::test]
async fn a_store_that_is_away_is_told() {
    let mut world = World::new().await;
    world.log("g:10", &[(ALICE, 1)], 3, 10).await;
    world.state.store.close().await;
    let alice = session(ALICE);
    ask(&world, &alice, cursors(&[("g:10", 0)])).await;
    let got = waiting(&alice);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0]["status"], "failed");
    assert_eq!(got[0]["reason"], "unavailable");
}
