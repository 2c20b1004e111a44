//! What a session asks for and says, whatever a server would do by itself.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::chat::commands::{Done, Then};
use crate::chat::event::Event;
use crate::chat::session::state::State;

/// A session of alice's that has shown one message, from bob.
fn state(now: Instant) -> State {
    let mut state = State::new("alice".to_owned(), None, Some(2));
    let message = json!({"type": 2, "conversation": "d:1:2", "seq": 4, "id": 9, "msg_id": "x", "from": "bob", "to": "alice"});
    state.frame(message.into(), now);
    state
}

#[test]
fn a_new_connection_is_asked_for_all_that_may_be_missing() {
    let now = Instant::now();
    let mut state = state(now);
    let watch = Then::Frame(json!({"type": 10, "watch": ["bob"]}));
    let done = Done {
        body: None,
        then: Some(watch),
    };
    state.done("who", done, now);
    let gap = json!({"type": 5, "event": "gap", "conversations": [{"conversation": "g:7", "after": 5, "last_seq": 9}]});
    state.frame(gap.into(), now);
    state.connected(now);
    let frames: Vec<Value> = state.frames.drain(..).collect();
    assert_eq!(
        frames[0],
        json!({"type": 7, "cursors": {"d:1:2": 4, "g:7": 5}})
    );
    assert_eq!(
        (&frames[1]["type"], &frames[1]["watch"]),
        (&json!(10), &json!(["bob"]))
    );
    // What is being fetched is fetched whatever happens to the connection.
    assert_eq!(state.pulls.len(), 1);
    assert!(state.answer_until(now).is_some());
    // A refusal is an answer, and is not asked for again.
    let refused = json!({"type": 3, "status": "failed", "msg_id": frames[1]["msg_id"], "reason": "rate_limited"});
    state.frame(refused.into(), now);
    assert!(state.answer_until(now).is_none());
    state.connected(now);
    assert_eq!(state.frames.len(), 1);
}

#[test]
fn what_was_shown_and_read_is_said_at_the_end() {
    let now = Instant::now();
    let receipt = |kind: &str| json!({"type": 8, "conversation": "d:1:2", "seq": 4, "kind": kind});
    let said = state(now).farewell();
    assert_eq!(said, [receipt("read"), receipt("delivered")]);
}

#[test]
fn ones_own_message_is_known_when_it_comes_back() {
    let now = Instant::now();
    let mut state = state(now);
    assert_eq!(state.expected, Some(1));
    state.say(json!({"type": 2, "msg_id": "mine", "to": "bob", "content": "hi"}));
    state.shown.clear();
    for (seq, from, msg_id) in [
        (5, "bob", "mine"),
        (6, "alice", "mine"),
        (7, "alice", "of another device"),
    ] {
        let message = json!({"type": 2, "conversation": "d:1:2", "seq": seq, "id": seq, "msg_id": msg_id, "from": from, "to": "x"});
        state.frame(message.into(), now);
    }
    let own = |event: &Event| matches!(event, Event::Own(_));
    assert_eq!(
        Vec::from_iter(state.shown.iter().map(own)),
        [false, true, false]
    );
    assert!(!state.is_complete());
    state.frame(
        json!({"type": 3, "msg_id": "mine", "status": "stored", "id": 5, "seq": 5}).into(),
        now,
    );
    assert!(state.is_complete());
}
