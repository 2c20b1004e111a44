//! Type 7: a device says what it has and asks for the rest.

use std::collections::HashMap;

use lingxi_domain::frame::server::{self, Gap};
use lingxi_domain::{ConversationKey, ErrorCode, Seq, limits};

use super::session::Session;
use crate::state::AppState;

/// Conversations that one request may name.
const CONVERSATIONS: usize = 200;
/// Entries that one answer pushes; the rest is told as gaps.
const ENTRIES: i64 = 200;

/// Pushes what the device is missing, oldest first in each conversation, to this connection only; past the cap a `gap`
/// says where to go on. Cursors do not move by it: the client's receipts do that.
pub(crate) async fn sync(state: &AppState, session: &Session, cursors: HashMap<String, Seq>) {
    if cursors.len() > CONVERSATIONS {
        let message = "cursors: name at most 200 conversations at a time.";
        session.push_plain(server::failed("", ErrorCode::InvalidRequest, message));
        return;
    }
    if let Err(code) = answer(state, session, cursors).await {
        session.push_plain(server::failed("", code, code.message()));
    }
}

async fn answer(
    state: &AppState,
    session: &Session,
    cursors: HashMap<String, Seq>,
) -> Result<(), ErrorCode> {
    let mut budget = ENTRIES;
    let mut gaps = Vec::new();
    let mut ordered: Vec<(String, Seq)> = cursors.into_iter().collect();
    ordered.sort_unstable();
    for (conversation, after) in ordered {
        let known = conversation.parse::<ConversationKey>().is_ok();
        let Some((first, last)) = (if known {
            visible(state, session, &conversation).await?
        } else {
            None
        }) else {
            continue;
        };
        let first = first.max(after.saturating_add(1));
        if first > last {
            continue;
        }
        if session.queued_bytes() > limits::ROUND_BYTES {
            // This runs in the socket's own task: nothing is written meanwhile.
            budget = 0;
        }
        let take = (last - first + 1).min(budget).min(limits::RESUME_CAP);
        if take > 0 {
            let upto = first + take - 1;
            let entries = state
                .store
                .entries_between(&conversation, first, upto, take)
                .await;
            let entries = entries.map_err(|error| lingxi_im::Error::from(error).code())?;
            for json in state
                .im
                .frames()
                .encode_many(&entries)
                .await
                .map_err(|e| e.code())?
            {
                session.push_plain(json);
            }
            budget -= take;
        }
        if first + take <= last {
            gaps.push(Gap {
                conversation,
                after: first + take - 1,
                last_seq: last,
            });
        }
    }
    if !gaps.is_empty() {
        session.push_plain(server::gap(&gaps));
    }
    Ok(())
}

/// The first and last entry that the user may see; `None` for a stranger.
async fn visible(
    state: &AppState,
    session: &Session,
    conversation: &str,
) -> Result<Option<(Seq, Seq)>, ErrorCode> {
    let of_store = |error| lingxi_im::Error::from(error).code();
    let Some(member) = state
        .store
        .member(conversation, session.user_id)
        .await
        .map_err(of_store)?
    else {
        return Ok(None);
    };
    let head = state
        .store
        .conversation(conversation)
        .await
        .map_err(of_store)?;
    Ok(head.map(|h| (member.joined_seq, member.left_seq.unwrap_or(h.last_seq))))
}
