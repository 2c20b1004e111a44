//! Which messages bring a file.

use lingxi_domain::{FileId, Seq, UserId};

use crate::conversations::NewEntry;
use crate::error::Result;
use crate::sql::{args, placeholders};
use crate::{Store, Tx};

impl Store {
    /// Returns true if a message brings the file that this user may read now: sent while they were in the conversation, and
    /// not recalled.
    pub async fn sees_file(&self, user: UserId, id: FileId) -> Result<bool> {
        // From the user's conversations: a file can be in more than anybody is in.
        let sql = "SELECT 1 FROM members m JOIN file_uses f ON f.file_id = ? AND f.conversation = m.conversation \
                   AND f.seq >= m.joined_seq AND (m.left_seq IS NULL OR f.seq <= m.left_seq) \
                   WHERE m.user_id = ? LIMIT 1";
        let row = self.reader().await?.fetch_one(sql, args![id, user]).await?;
        Ok(row.is_some())
    }
}

impl Tx {
    /// New entries bring their files. Nothing is asked where none does.
    pub(crate) async fn use_files(&mut self, new: &[NewEntry<'_>]) -> Result<()> {
        let mut uses: Vec<(FileId, &str, Seq)> = new
            .iter()
            .filter_map(|entry| Some((entry.file?, entry.conversation, entry.seq)))
            .collect();
        if uses.is_empty() {
            return Ok(());
        }
        // In one order, so that nobody waits in a circle.
        uses.sort_unstable();
        let mut files: Vec<FileId> = uses.iter().map(|(file, ..)| *file).collect();
        files.dedup();
        let sql = "UPDATE files SET unused_since = NULL WHERE id IN (*)";
        self.conn.execute_in(sql, args![], &files).await?;
        for piece in self.dialect().chunks(&uses) {
            let sql = format!(
                "INSERT INTO file_uses (file_id, conversation, seq) VALUES {}",
                placeholders(piece.len(), 3)
            );
            let values = piece
                .iter()
                .flat_map(|&(file, conversation, seq)| args![file, conversation, seq]);
            self.conn.execute(sql, values.collect()).await?;
        }
        Ok(())
    }

    /// A message was recalled: it brings its file no longer, and says nothing of it; `detail` is what else it says.
    pub async fn drop_file(
        &mut self,
        (message, conversation, seq): (i64, &str, Seq),
        file: FileId,
        (detail, now): (Option<&str>, i64),
    ) -> Result<()> {
        // The row is locked first: of two recalls at once the second sees that it was the last.
        let sql = "UPDATE files SET unused_since = ? WHERE id = ?";
        self.conn.execute(sql, args![now, file]).await?;
        let sql = "DELETE FROM file_uses WHERE file_id = ? AND conversation = ? AND seq = ?";
        self.conn
            .execute(sql, args![file, conversation, seq])
            .await?;
        let sql = "UPDATE files SET unused_since = NULL WHERE id = ? \
                   AND EXISTS (SELECT 1 FROM file_uses WHERE file_id = ?)";
        self.conn.execute(sql, args![file, file]).await?;
        let sql = "UPDATE entries SET detail = ? WHERE id = ?";
        self.conn.execute(sql, args![detail, message]).await?;
        Ok(())
    }
}
