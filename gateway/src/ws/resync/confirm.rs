//! What clients confirmed, on its way to whoever moves their cursors.

use std::collections::HashMap;

use lingxi_domain::ConversationKey;
use lingxi_proto::Message as _;
use lingxi_proto::bus::{CursorMove, CursorMoves};

use crate::state::AppState;

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
