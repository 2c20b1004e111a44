//! Messages that users have reported to the operators.

use lingxi_domain::UserId;
use serde::Serialize;

use crate::error::Result;
use crate::sql::{Row, args};
use crate::{Store, Tx};

/// A report to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReport<'a> {
    /// Of which message.
    pub message_id: i64,
    /// The conversation's key.
    pub conversation: &'a str,
    /// Who reports it.
    pub reporter: UserId,
    /// Who wrote it.
    pub author: UserId,
    /// What it says now.
    pub content: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Now, milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// A report as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Its number; a later one has a higher one.
    pub id: i64,
    /// Of which message.
    pub message_id: i64,
    /// The conversation's key.
    pub conversation: String,
    /// Who reported it, by name.
    pub reporter: String,
    /// Who wrote it, by name.
    pub author: String,
    /// What it said when it was reported.
    pub content: String,
    /// Why.
    pub reason: String,
    /// `open`, `handled` or `dismissed`.
    pub state: String,
    /// When, milliseconds since the Unix epoch.
    pub created_at: i64,
}

fn report(row: &Row) -> Result<Report> {
    Ok(Report {
        id: row.int(0)?,
        message_id: row.int(1)?,
        conversation: row.text(2)?,
        reporter: row.text(3)?,
        author: row.text(4)?,
        content: row.text(5)?,
        reason: row.text(6)?,
        state: row.text(7)?,
        created_at: row.int(8)?,
    })
}

impl Store {
    /// Reports of this state, or of any, the newest first, those with a lower number than `before`; at most `limit`. And how
    /// many there are of it.
    pub async fn reports(
        &self,
        state: Option<&str>,
        before: i64,
        limit: i64,
    ) -> Result<(Vec<Report>, i64)> {
        let mut conn = self.reader().await?;
        let (which, of_state) = match state {
            Some(state) => ("r.state = ?", args![state]),
            None => ("1 = 1", args![]),
        };
        let sql = format!(
            "SELECT r.id, r.message_id, r.conversation, u.username, a.username, r.content, r.reason, r.state, r.created_at \
             FROM reports r JOIN users u ON u.id = r.reporter_id JOIN users a ON a.id = r.author_id \
             WHERE {which} AND r.id < ? ORDER BY r.id DESC LIMIT ?"
        );
        let mut values = of_state.clone();
        values.extend(args![before, limit]);
        let rows = conn.fetch(sql, values).await?;
        let found = rows.iter().map(report).collect::<Result<_>>()?;
        let sql = format!("SELECT COUNT(*) FROM reports r WHERE {which}");
        let total = conn.fetch_one(sql, of_state).await?;
        Ok((found, total.map_or(Ok(0), |row| row.int(0))?))
    }
}

impl Tx {
    /// How many reports of this user wait for an operator.
    pub async fn count_open_reports(&mut self, reporter: UserId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM reports WHERE reporter_id = ? AND state = 'open'";
        let row = self.conn.fetch_one(sql, args![reporter]).await?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    /// Whether this user has reported this message.
    pub async fn has_reported(&mut self, reporter: UserId, message: i64) -> Result<bool> {
        let sql = "SELECT 1 FROM reports WHERE reporter_id = ? AND message_id = ?";
        let row = self.conn.fetch_one(sql, args![reporter, message]).await?;
        Ok(row.is_some())
    }

    /// Adds a report, which waits for an operator.
    pub async fn add_report(&mut self, new: &NewReport<'_>) -> Result<()> {
        let sql = "INSERT INTO reports (message_id, conversation, reporter_id, author_id, content, reason, state, created_at) \
                   VALUES (?, ?, ?, ?, ?, ?, 'open', ?)";
        let values = args![
            new.message_id,
            new.conversation,
            new.reporter,
            new.author,
            new.content,
            new.reason,
            new.created_at
        ];
        self.conn.execute(sql, values).await?;
        Ok(())
    }
}
