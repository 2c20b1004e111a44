//! How far webhooks were told.

use lingxi_domain::{Seq, UserId};

use crate::Store;
use crate::error::Result;
use crate::sql::{Column, args, placeholders};

/// A webhook was told of a conversation up to there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookMove {
    /// Whose webhook.
    pub bot: UserId,
    /// The conversation's key.
    pub conversation: String,
    /// The last entry that is done with.
    pub seq: Seq,
}

const COLUMNS: &[Column] = &[
    Column::Int("bot_id"),
    Column::Text("conversation"),
    Column::Int("upto"),
];

impl Store {
    /// Moves cursors of webhooks, never back, in one transaction.
    pub async fn move_webhook_cursors(&self, moves: &[WebhookMove]) -> Result<()> {
        let mut moves: Vec<&WebhookMove> = moves.iter().collect();
        moves.sort_unstable_by_key(|m| (m.bot, &m.conversation));
        self.repeated(|| self.move_webhook_cursors_once(&moves))
            .await
    }

    async fn move_webhook_cursors_once(&self, moves: &[&WebhookMove]) -> Result<()> {
        let mut tx = self.begin().await?;
        for piece in tx.dialect().value_chunks(moves) {
            let cells = || {
                let cells = piece
                    .iter()
                    .flat_map(|m| args![m.bot, &m.conversation, m.seq]);
                cells.collect::<Vec<_>>()
            };
            let (sql, values) = tx.dialect().update_from_values(
                "webhook_cursors",
                COLUMNS,
                cells(),
                (
                    "webhook_cursors.bot_id = v.bot_id AND webhook_cursors.conversation = v.conversation",
                    "webhook_cursors.seq < v.upto",
                ),
                &[("seq", "v.upto"), ("attempts", "0"), ("retry_at", "0")],
            );
            tx.conn.execute(sql, values).await?;
            // Those of conversations that began since.
            let sql = format!(
                "INSERT INTO webhook_cursors (bot_id, conversation, seq) VALUES {}{}",
                placeholders(piece.len(), 3),
                tx.dialect().on_conflict_keep("bot_id, conversation")
            );
            tx.conn.execute(sql, cells()).await?;
        }
        tx.commit().await
    }
}
