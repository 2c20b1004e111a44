//! What users have chosen.

use lingxi_domain::UserId;
use lingxi_domain::invitations::WhoMayInvite;

use crate::error::Result;
use crate::sql::{Row, args};
use crate::{Store, Tx};

const WHO_MAY_INVITE: &str = "SELECT who_may_invite FROM user_settings WHERE user_id = ?";

fn who_may_invite(row: Option<Row>) -> Result<WhoMayInvite> {
    row.map_or(Ok(WhoMayInvite::default()), |row| {
        Ok(WhoMayInvite::from_db(row.int(0)?))
    })
}

impl Store {
    /// Who may take this user into groups.
    pub async fn who_may_invite(&self, user: UserId) -> Result<WhoMayInvite> {
        let mut conn = self.reader().await?;
        who_may_invite(conn.fetch_one(WHO_MAY_INVITE, args![user]).await?)
    }

    /// Chooses who may take this user into groups.
    pub async fn set_who_may_invite(&self, user: UserId, who: WhoMayInvite) -> Result<()> {
        self.retried(|| async move {
            let mut tx = self.begin().await?;
            let overwrite = tx
                .dialect()
                .on_conflict_overwrite("user_id", &["who_may_invite"]);
            let sql = format!(
                "INSERT INTO user_settings (user_id, who_may_invite) VALUES (?, ?){overwrite}"
            );
            tx.conn.execute(sql, args![user, who.to_db()]).await?;
            tx.commit().await
        })
        .await
    }
}

impl Tx {
    /// Who may take this user into groups.
    pub async fn who_may_invite(&mut self, user: UserId) -> Result<WhoMayInvite> {
        who_may_invite(self.conn.fetch_one(WHO_MAY_INVITE, args![user]).await?)
    }

    /// Returns true if `contact` is on the user's list.
    pub async fn is_contact(&mut self, user: UserId, contact: UserId) -> Result<bool> {
        let sql = "SELECT 1 FROM contacts WHERE user_id = ? AND contact_id = ?";
        let row = self.conn.fetch_one(sql, args![user, contact]).await?;
        Ok(row.is_some())
    }

    /// Makes transactions that change what one user has a bounded number of wait for each other. Lock conversations
    /// first.
    pub async fn lock_user(&mut self, user: UserId) -> Result<()> {
        let sql = format!(
            "SELECT id FROM users WHERE id = ?{}",
            self.dialect().for_update()
        );
        self.conn.fetch_one(sql, args![user]).await?;
        Ok(())
    }
}
