//! One round: which entries its sessions are missing, read and handed out in pieces.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::{ErrorCode, UserId};
use lingxi_proto::bus::{CursorMove, PushFrame};
use lingxi_runtime::outage::Outage;
use lingxi_store::{Entry, Unconfirmed, UserHead};
use tokio::time::Instant;

use super::confirm;
use super::piece::Piece;
use super::queue::Asked;
use crate::state::AppState;
use crate::ws::close::Close;
use crate::ws::session::Session;

/// Entries of one session in one round: fewer than its queue holds, so that a round never overflows it.
const ENTRIES: i64 = 200;

/// A session with so many conversations to be looked at is served alone from then on; so is one whose user is in so many
/// that the store does not look at them together with others'.
const HEAVY: usize = 400;

/// Serves rounds until every handle to the queue is gone.
pub(crate) async fn run(state: AppState, mut asked: Asked) {
    let mut outage = Outage::of("reading what clients are missing");
    while let Some(sessions) = asked.next().await {
        if !sessions.is_empty() {
            serve(&state, &sessions, &mut outage).await;
        }
    }
}

/// Serves one round. A store that is away fails everyone alike, and slowly: nobody is tried alone, nor sent to reconnect,
/// which needs the store too; live entries wait meanwhile. Any other failure is about somebody in particular: from then on
/// each of them is served alone, where the others do not wait for it. Who fails alone and waits for the first round
/// reconnects; who was only compared is compared again.
pub(crate) async fn serve(state: &AppState, sessions: &[Arc<Session>], outage: &mut Outage) {
    let Err(error) = round(state, sessions).await else {
        outage.over(Instant::now());
        return;
    };
    if error.code() == ErrorCode::Unavailable {
        outage.failed(Instant::now(), &error);
        outage.rest().await;
        sessions
            .iter()
            .for_each(|session| state.resync.ask(session));
        return;
    }
    tracing::error!(%error, sessions = sessions.len(), "cannot read what clients are missing");
    for session in sessions {
        if !session.is_heavy() {
            session.set_heavy(true);
            state.resync.ask(session);
        } else if session.is_syncing() {
            session.close(Close::TryAgain);
        }
    }
}

async fn round(state: &AppState, sessions: &[Arc<Session>]) -> Result<(), lingxi_im::Error> {
    let mut users: Vec<UserId> = sessions.iter().map(|s| s.user_id).collect();
    users.sort_unstable();
    users.dedup();
    let mut heads: HashMap<UserId, Vec<UserHead>> = HashMap::new();
    let Unconfirmed { heads: read, alone } = state.store.unconfirmed(&users).await?;
    for head in read {
        heads.entry(head.user_id).or_default().push(head);
    }
    let mut piece = Piece::default();
    for session in sessions {
        if alone.contains(&session.user_id) {
            // Not while others wait, nor in the line of the others.
            if sessions.len() > 1 || !session.is_heavy() {
                session.set_heavy(true);
                state.resync.ask(session);
                continue;
            }
            let read = state.store.unconfirmed_heads(&[session.user_id]).await?;
            heads.insert(session.user_id, read);
        }
        let heads = heads.get(&session.user_id).map_or(&[][..], Vec::as_slice);
        session.set_heavy(heads.len() >= HEAVY || alone.contains(&session.user_id));
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
            if let Some(&left_seq) = plan.left.get(conversation) {
                let seen = entries.iter().filter(|entry| {
                    entry.conversation == *conversation && (*first..=*last).contains(&entry.seq)
                });
                let seen: Vec<Entry> = seen.cloned().collect();
                of_session.extend(state.im.frames().until(left_seq, &seen).await?);
                continue;
            }
            let Some(frames) = by_conversation.get(conversation) else {
                continue;
            };
            let from = frames.partition_point(|f| f.seq < *first);
            let upto = frames.partition_point(|f| f.seq <= *last);
            of_session.extend_from_slice(&frames[from..upto]);
        }
        if session.apply_round(of_session, plan) {
            state.resync.ask(session);
        }
    }
    if !moves.is_empty() {
        confirm(state, moves).await;
    }
    Ok(())
}
