//! Rounds from the store: what many sessions are missing is read in two queries, a few more where it is much, and handed
//! to each.
//!
//! One path serves a new connection, a hole in the live stream, a lost bus connection and the regular comparison.

mod piece;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::{ConversationKey, ErrorCode, UserId};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{CursorMove, CursorMoves, PushFrame};
use lingxi_store::UserHead;

use super::close::Close;
use super::session::Session;
use super::sync_queue::Asked;
use crate::state::AppState;
use piece::Piece;

/// Entries of one session in one round: fewer than its queue holds, so that a round never overflows it.
const ENTRIES: i64 = 200;
/// How long rounds rest when the store was found away.
const REST: Duration = Duration::from_secs(1);

/// Serves rounds until every handle to the queue is gone.
pub(crate) async fn run(state: AppState, mut queue: Asked) {
    while let Some(sessions) = queue.next().await {
        if !sessions.is_empty() {
            serve(&state, &sessions).await;
        }
    }
}

pub(super) async fn serve(state: &AppState, sessions: &[Arc<Session>]) {
    let Err(error) = round(state, sessions).await else {
        return;
    };
    tracing::error!(%error, sessions = sessions.len(), "cannot read what clients are missing");
    if is_away(&error) {
        again_later(state, sessions).await;
    } else {
        one_by_one(state, sessions).await;
    }
}

/// What one session is missing may be unreadable: the others are served all the same. One that waits for its first round
/// reconnects; one that was only compared is compared again.
async fn one_by_one(state: &AppState, sessions: &[Arc<Session>]) {
    for (at, session) in sessions.iter().enumerate() {
        match round(state, std::slice::from_ref(session)).await {
            Err(error) if is_away(&error) => return again_later(state, &sessions[at..]).await,
            Err(_) if session.is_syncing() => session.close(Close::TryAgain),
            Ok(()) | Err(_) => {}
        }
    }
}

/// A store that is away fails everyone alike, and slowly: nobody is tried alone, nor sent to reconnect, which needs the
/// store too. Live entries wait meanwhile.
async fn again_later(state: &AppState, sessions: &[Arc<Session>]) {
    tokio::time::sleep(REST).await;
    sessions.iter().for_each(|session| state.sync.ask(session));
}

fn is_away(error: &lingxi_im::Error) -> bool {
    error.code() == ErrorCode::Unavailable
}

async fn round(state: &AppState, sessions: &[Arc<Session>]) -> Result<(), lingxi_im::Error> {
    let mut users: Vec<UserId> = sessions.iter().map(|s| s.user_id).collect();
    users.sort_unstable();
    users.dedup();
    let mut heads: HashMap<UserId, Vec<UserHead>> = HashMap::new();
    for head in state.store.unconfirmed_heads(&users).await? {
        heads.entry(head.user_id).or_default().push(head);
    }
    let mut piece = Piece::default();
    for session in sessions {
        let heads = heads.get(&session.user_id).map_or(&[][..], Vec::as_slice);
        piece.add(session, session.plan(heads, ENTRIES));
        if piece.is_full() {
            hand_out(state, std::mem::take(&mut piece)).await?;
        }
    }
    hand_out(state, piece).await
}

/// Reads what the sessions of a piece are missing, and hands it to each.
async fn hand_out(state: &AppState, piece: Piece<'_>) -> Result<(), lingxi_im::Error> {
    let entries = state.store.entries_of_many(&piece.ranges()).await?;
    let mut by_conversation: HashMap<String, Vec<PushFrame>> = HashMap::new();
    for frame in state.im.frames().of(&entries).await? {
        by_conversation
            .entry(frame.conversation.clone())
            .or_default()
            .push(frame);
    }

    let mut moves: Vec<CursorMove> = Vec::new();
    for (session, mut plan) in piece.plans {
        moves.append(&mut plan.moves);
        let mut of_session = Vec::new();
        for (conversation, first, last) in &plan.ranges {
            let Some(frames) = by_conversation.get(conversation) else {
                continue;
            };
            let from = frames.partition_point(|f| f.seq < *first);
            let upto = frames.partition_point(|f| f.seq <= *last);
            of_session.extend_from_slice(&frames[from..upto]);
        }
        if session.apply_round(of_session, plan) {
            state.sync.ask(session);
        }
    }
    if !moves.is_empty() {
        confirm(state, moves).await;
    }
    Ok(())
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
