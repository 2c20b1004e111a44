//! Type 7: a device says what it has and asks for the rest.

use std::collections::HashMap;

use axum::body::Bytes;
use lingxi_domain::frame::server::{self, Gap};
use lingxi_domain::{ConversationKey, ErrorCode, Seq, limits};

use super::session::Session;
use crate::state::AppState;

/// Conversations that one request may name.
const CONVERSATIONS: usize = 200;
/// Entries that one answer pushes; the rest is told as gaps.
const ENTRIES: i64 = 200;

/// What one conversation has for the device.
struct Rest {
    conversation: String,
    /// The first and the last entry that the device lacks.
    first: Seq,
    last: Seq,
    /// How many of them are pushed.
    take: i64,
}

/// Pushes what the device is missing, oldest first in each conversation, to this connection only; past the cap a `gap`
/// says where to go on. Cursors do not move by it: the client's receipts do that.
pub(crate) async fn sync(state: &AppState, session: &Session, cursors: HashMap<String, Seq>) {
    if cursors.len() > CONVERSATIONS {
        let message = "cursors: name at most 200 conversations at a time.";
        session.push_plain(server::failed("", ErrorCode::InvalidRequest, message));
        return;
    }
    if let Err(error) = answer(state, session, cursors).await {
        let code = error.code();
        session.push_plain(server::failed("", code, code.message()));
    }
}

/// Reads before it pushes, in as few queries for many conversations as for one: this runs in the socket's own task, where
/// nothing else is written meanwhile.
async fn answer(
    state: &AppState,
    session: &Session,
    cursors: HashMap<String, Seq>,
) -> Result<(), lingxi_im::Error> {
    let rests = rests(state, session, cursors).await?;
    let mut frames = read(state, &rests).await?;
    let mut gaps = Vec::new();
    for mut rest in rests {
        if session.queued_bytes() > limits::ROUND_BYTES {
            rest.take = 0;
        }
        if rest.take > 0 {
            for json in frames.remove(&rest.conversation).unwrap_or_default() {
                session.push_plain(json);
            }
        }
        if rest.first + rest.take <= rest.last {
            gaps.push(Gap {
                conversation: rest.conversation,
                after: rest.first + rest.take - 1,
                last_seq: rest.last,
            });
        }
    }
    if !gaps.is_empty() {
        session.push_plain(server::gap(&gaps));
    }
    Ok(())
}

/// What the device lacks, in the order of the conversations' keys; strangers' conversations are left out.
async fn rests(
    state: &AppState,
    session: &Session,
    cursors: HashMap<String, Seq>,
) -> Result<Vec<Rest>, lingxi_im::Error> {
    let mut cursors: Vec<(String, Seq)> = cursors
        .into_iter()
        .filter(|(conversation, _)| conversation.parse::<ConversationKey>().is_ok())
        .collect();
    cursors.sort_unstable();
    let keys: Vec<&str> = cursors.iter().map(|(key, _)| key.as_str()).collect();
    let visible = state.store.visible_to(session.user_id, &keys).await?;
    let mut budget = ENTRIES;
    if session.queued_bytes() > limits::ROUND_BYTES {
        // Nothing could be pushed.
        budget = 0;
    }
    let mut rests = Vec::new();
    for (conversation, after) in cursors {
        let Some(&(first, last)) = visible.get(&conversation) else {
            continue;
        };
        let first = first.max(after.saturating_add(1));
        if first > last {
            continue;
        }
        let take = (last - first + 1).min(budget).min(limits::RESUME_CAP);
        budget -= take;
        rests.push(Rest {
            conversation,
            first,
            last,
            take,
        });
    }
    Ok(rests)
}

/// The frames to be pushed, by conversation.
async fn read(
    state: &AppState,
    rests: &[Rest],
) -> Result<HashMap<String, Vec<Bytes>>, lingxi_im::Error> {
    let ranges: Vec<(&str, Seq, Seq)> = rests
        .iter()
        .filter(|rest| rest.take > 0)
        .map(|rest| {
            (
                rest.conversation.as_str(),
                rest.first,
                rest.first + rest.take - 1,
            )
        })
        .collect();
    let entries = state.store.entries_of_many(&ranges).await?;
    let mut frames: HashMap<String, Vec<Bytes>> = HashMap::new();
    for frame in state.im.frames().of(&entries).await? {
        frames
            .entry(frame.conversation)
            .or_default()
            .push(frame.json);
    }
    Ok(frames)
}
