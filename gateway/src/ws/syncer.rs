//! Rounds from the store: what many sessions are missing is read in two queries and handed to each.
//!
//! One path serves a new connection, a hole in the live stream, a lost bus connection and the regular comparison.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::{ConversationKey, Seq, UserId};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{CursorMove, CursorMoves, PushFrame};
use lingxi_store::{Entry, UserHead};
use tokio::sync::mpsc;

use super::close::Close;
use super::session::{Plan, Session};
use crate::state::AppState;

/// Sessions of one round.
const SESSIONS: usize = 256;
/// Entries of one session in one round: fewer than its queue holds, so that a round never overflows it.
const ENTRIES: i64 = 200;

/// Serves rounds until every handle to the queue is gone.
pub(crate) async fn run(state: AppState, mut queue: mpsc::UnboundedReceiver<Arc<Session>>) {
    let mut sessions = Vec::with_capacity(SESSIONS);
    while queue.recv_many(&mut sessions, SESSIONS).await > 0 {
        sessions.sort_unstable_by_key(|s| s.connection_id);
        sessions.dedup_by_key(|s| s.connection_id);
        if let Err(error) = round(&state, &sessions).await {
            tracing::error!(%error, sessions = sessions.len(), "cannot read what clients are missing");
            one_by_one(&state, &sessions).await;
        }
        sessions.clear();
    }
}

/// What one session is missing may be unreadable: the others are served all the same. One that waits for its first round
/// reconnects; one that was only compared is compared again.
async fn one_by_one(state: &AppState, sessions: &[Arc<Session>]) {
    for session in sessions {
        let alone = std::slice::from_ref(session);
        let served = sessions.len() > 1 && round(state, alone).await.is_ok();
        if !served && session.is_syncing() {
            session.close(Close::TryAgain);
        }
    }
}

async fn round(state: &AppState, sessions: &[Arc<Session>]) -> Result<(), lingxi_im::Error> {
    let mut users: Vec<UserId> = sessions.iter().map(|s| s.user_id).collect();
    users.sort_unstable();
    users.dedup();
    let mut heads: HashMap<UserId, Vec<UserHead>> = HashMap::new();
    for head in state.store.unconfirmed_heads(&users).await? {
        heads.entry(head.user_id).or_default().push(head);
    }
    let plans: Vec<Plan> = sessions
        .iter()
        .map(|s| s.plan(heads.get(&s.user_id).map_or(&[], Vec::as_slice), ENTRIES))
        .collect();

    let mut ranges: Vec<(&str, Seq, Seq)> = plans
        .iter()
        .flat_map(|p| &p.ranges)
        .map(|(c, first, last)| (c.as_str(), *first, *last))
        .collect();
    ranges.sort_unstable();
    let entries = state.store.entries_of_many(&merged(ranges)).await?;
    let encoded = state.im.frames().encode_many(&entries).await?;
    let frames: Vec<PushFrame> = entries
        .iter()
        .zip(encoded)
        .map(|(e, json)| frame(e, json))
        .collect();
    let mut by_conversation: HashMap<&str, Vec<PushFrame>> = HashMap::new();
    for (entry, frame) in entries.iter().zip(frames) {
        by_conversation
            .entry(entry.conversation.as_str())
            .or_default()
            .push(frame);
    }

    let mut moves: Vec<CursorMove> = Vec::new();
    for (session, mut plan) in sessions.iter().zip(plans) {
        moves.append(&mut plan.moves);
        let mut of_session = Vec::new();
        for (conversation, first, last) in &plan.ranges {
            let Some(frames) = by_conversation.get(conversation.as_str()) else {
                continue;
            };
            let from = frames.partition_point(|f| f.seq < *first);
            let upto = frames.partition_point(|f| f.seq <= *last);
            of_session.extend_from_slice(&frames[from..upto]);
        }
        if session.apply_round(of_session, plan) {
            let _ = state.sync.send(session.clone());
        }
    }
    if !moves.is_empty() {
        confirm(state, moves).await;
    }
    Ok(())
}

/// Sorted ranges with those that overlap or adjoin made one: many members of one group miss much the same.
fn merged(ranges: Vec<(&str, Seq, Seq)>) -> Vec<(&str, Seq, Seq)> {
    let mut merged: Vec<(&str, Seq, Seq)> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.0 == range.0 && range.1 <= last.2 + 1 => {
                last.2 = last.2.max(range.2)
            }
            _ => merged.push(range),
        }
    }
    merged
}

fn frame(entry: &Entry, json: axum::body::Bytes) -> PushFrame {
    PushFrame {
        json,
        conversation: entry.conversation.clone(),
        seq: entry.seq,
    }
}

/// Tells the owners of the conversations' partitions what clients confirmed.
pub(crate) async fn confirm(state: &AppState, moves: Vec<CursorMove>) {
    let mut by_partition: HashMap<u16, Vec<CursorMove>> = HashMap::new();
    for one in moves {
        // A conversation that a session knows has a key that can be read.
        if let Ok(key) = one.conversation.parse::<ConversationKey>() {
            let partition = key.partition(state.options.partitions);
            by_partition.entry(partition).or_default().push(one);
        }
    }
    for (partition, moves) in by_partition {
        let payload = CursorMoves { moves }.encode_to_vec().into();
        let subject = lingxi_bus::Subject::Cursors(partition);
        if let Err(error) = state.bus.publish(&subject, payload).await {
            tracing::warn!(%error, "confirmed entries could not be recorded; they are pushed once more");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_ranges_are_read_once() {
        let ranges = vec![
            ("g:1", 1, 5),
            ("g:1", 3, 8),
            ("g:1", 9, 9),
            ("g:1", 11, 12),
            ("g:2", 1, 2),
        ];
        assert_eq!(
            merged(ranges),
            [("g:1", 1, 9), ("g:1", 11, 12), ("g:2", 1, 2)]
        );
    }
}
