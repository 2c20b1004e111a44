//! The answer to type 7: a device says what it has, and gets the rest.

use std::collections::HashMap;

use axum::body::Bytes;
use lingxi_domain::frame::server::{self, Gap};
use lingxi_domain::{ConversationKey, Seq, limits};
use lingxi_store::Entry;

use super::session::Session;
use crate::state::AppState;

/// Conversations that one request may name.
pub(super) const CONVERSATIONS: usize = 200;
/// Entries that one answer pushes; the rest is told as gaps.
const ENTRIES: i64 = 200;
/// Entries that are read at a time: what does not fit any more is not read.
const READ: i64 = 64;

/// What one conversation has for the device.
struct Rest {
    conversation: String,
    /// The first and the last entry that the device lacks.
    first: Seq,
    last: Seq,
    /// How many of them may be pushed.
    take: i64,
    /// How many of them were.
    pushed: i64,
    /// Whether the user left with the last of them: what was edited behind it is not for them.
    left: bool,
}

impl Rest {
    /// What is left for the device to pull.
    fn gap(self) -> Option<Gap> {
        let after = self.first + self.pushed - 1;
        (after < self.last).then_some(Gap {
            conversation: self.conversation,
            after,
            last_seq: self.last,
        })
    }
}

/// Pushes what the device is missing, oldest first in each conversation, to this connection only; past the cap, or past
/// the bytes that may be queued for it, a `gap` says where to go on. Cursors do not move by it: the client's receipts do
/// that.
///
/// Reads in few queries however many conversations: this runs in the socket's own task, where nothing else is written
/// meanwhile.
pub(super) async fn answer(
    state: &AppState,
    session: &Session,
    cursors: HashMap<String, Seq>,
) -> Result<(), lingxi_im::Error> {
    let mut rests = rests(state, session, cursors).await?;
    let mut room = session.round_room();
    for portion in portions(&rests) {
        if room == 0 {
            break;
        }
        let mut frames = read(state, &rests, &portion).await?;
        for (number, _, _) in portion {
            let rest = &mut rests[number];
            for json in frames.remove(&rest.conversation).unwrap_or_default() {
                // Once something does not fit, nothing behind it is pushed.
                room = room.saturating_sub(json.len());
                if room == 0 {
                    break;
                }
                session.push_plain(json);
                rest.pushed += 1;
            }
        }
    }
    let gaps: Vec<Gap> = rests.into_iter().filter_map(Rest::gap).collect();
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
    let mut rests = Vec::new();
    for (conversation, after) in cursors {
        let Some(&(first, last, left)) = visible.get(&conversation) else {
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
            pushed: 0,
            left,
        });
    }
    Ok(rests)
}

/// A conversation by its place in the list of rests, and the first and last entry to be read.
type Range = (usize, Seq, Seq);

/// What is to be pushed, in order, cut where enough is read at a time.
fn portions(rests: &[Rest]) -> Vec<Vec<Range>> {
    let mut portions: Vec<Vec<Range>> = Vec::new();
    let mut space = 0;
    for (number, rest) in rests.iter().enumerate() {
        let (mut first, end) = (rest.first, rest.first + rest.take);
        while first < end {
            if space == 0 {
                portions.push(Vec::new());
                space = READ;
            }
            let take = space.min(end - first);
            if let Some(portion) = portions.last_mut() {
                portion.push((number, first, first + take - 1));
            }
            first += take;
            space -= take;
        }
    }
    portions
}

/// The frames of a portion, by conversation.
async fn read(
    state: &AppState,
    rests: &[Rest],
    portion: &[Range],
) -> Result<HashMap<String, Vec<Bytes>>, lingxi_im::Error> {
    let ranges: Vec<(&str, Seq, Seq)> = portion
        .iter()
        .map(|&(number, first, last)| (rests[number].conversation.as_str(), first, last))
        .collect();
    let entries = state.store.entries_of_many(&ranges).await?;
    let left: HashMap<&str, Seq> = portion
        .iter()
        .map(|&(number, _, _)| &rests[number])
        .filter(|rest| rest.left)
        .map(|rest| (rest.conversation.as_str(), rest.last))
        .collect();
    let (of_left, of_others): (Vec<Entry>, Vec<Entry>) = entries
        .into_iter()
        .partition(|entry| left.contains_key(entry.conversation.as_str()));
    let made = state.im.frames();
    let mut frames = made.of(&of_others).await?;
    // Each conversation's entries stand together.
    for of_one in of_left.chunk_by(|one, next| one.conversation == next.conversation) {
        let left_seq = left[of_one[0].conversation.as_str()];
        frames.extend(made.until(left_seq, of_one).await?);
    }
    let mut by_conversation: HashMap<String, Vec<Bytes>> = HashMap::new();
    for frame in frames {
        by_conversation
            .entry(frame.conversation)
            .or_default()
            .push(frame.json);
    }
    Ok(by_conversation)
}
