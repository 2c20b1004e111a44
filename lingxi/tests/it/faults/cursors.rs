//! Looking at members' cursors while the system is under load.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::board::Board;
use super::outcome::number;
use crate::evidence::CursorSeen;
use crate::harness::database::Source;

/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(700);

/// Looks at all cursors again and again, and writes down what changed.
pub(super) async fn look(database: Source, board: Arc<Board>, names: HashMap<u64, String>) {
    let query = "SELECT conversation, user_id, joined_seq, delivered_seq, read_seq FROM members";
    let mut known: HashMap<(String, String), Vec<String>> = HashMap::new();
    loop {
        tokio::time::sleep(LOOK).await;
        // The database may be away or paused.
        let Some(rows) = database.try_query(query).await else {
            continue;
        };
        let mut shared = board.lock();
        let received = shared.recording.received.len();
        for row in rows {
            let Some(reader) = names.get(&number(&row[1])) else {
                continue;
            };
            let member = (row[0].clone(), row[1].clone());
            if known.get(&member) == Some(&row) {
                continue;
            }
            shared.recording.cursors.push(CursorSeen {
                reader: reader.clone(),
                conversation: row[0].clone(),
                received,
                joined: number(&row[2]),
                delivered: number(&row[3]),
                read: number(&row[4]),
            });
            known.insert(member, row);
        }
    }
}
