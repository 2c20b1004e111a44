//! Whom a user keeps in the list of contacts. One side only: the other need not know.

use lingxi_domain::UserId;

use crate::error::Result;
use crate::sql::{Row, args};
use crate::{Store, Tx};

/// A contact with what the list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub user_id: UserId,
    /// The account's name.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// The picture's address; may be empty.
    pub avatar: String,
    /// A line about oneself; may be empty.
    pub signature: String,
    /// What the keeper of the list calls the contact; may be empty.
    pub remark: String,
}

fn contact(row: &Row) -> Result<Contact> {
    Ok(Contact {
        user_id: row.int(0)?,
        username: row.text(1)?,
        nickname: row.text(2)?,
        avatar: row.text(3)?,
        signature: row.text(4)?,
        remark: row.text(5)?,
    })
}

impl Store {
    /// All of a user's contacts, by name; deleted accounts are left out.
    pub async fn contacts(&self, user: UserId) -> Result<Vec<Contact>> {
        self.contacts_page(user, "", i64::MAX).await
    }

    /// A user's contacts by name, those behind the name `after` in the form under which names are unique (empty for the
    /// first ones), at most `limit`; deleted accounts are left out.
    pub async fn contacts_page(
        &self,
        user: UserId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Contact>> {
        let sql = "SELECT u.id, u.username, u.nickname, u.avatar, u.signature, c.remark \
                   FROM contacts c JOIN users u ON u.id = c.contact_id \
                   WHERE c.user_id = ? AND u.username_key > ? AND u.deleted_at IS NULL ORDER BY u.username_key LIMIT ?";
        let values = args![user, after, limit];
        let rows = self.reader().await?.fetch(sql, values).await?;
        rows.iter().map(contact).collect()
    }
}

impl Store {
    /// Changes what the keeper of the list calls a contact; answers the contact, or nothing where it is not on the list.
    pub async fn set_remark(
        &self,
        user: UserId,
        other: UserId,
        remark: &str,
    ) -> Result<Option<Contact>> {
        self.retried(async || {
            let mut tx = self.begin().await?;
            let sql = "UPDATE contacts SET remark = ? WHERE user_id = ? AND contact_id = ?";
            tx.conn.execute(sql, args![remark, user, other]).await?;
            let sql = "SELECT u.id, u.username, u.nickname, u.avatar, u.signature, c.remark \
                       FROM contacts c JOIN users u ON u.id = c.contact_id \
                       WHERE c.user_id = ? AND c.contact_id = ? AND u.deleted_at IS NULL";
            let row = tx.conn.fetch_one(sql, args![user, other]).await?;
            let changed = row.as_ref().map(contact).transpose()?;
            tx.commit().await?;
            Ok(changed)
        })
        .await
    }
}

impl Tx {
    /// Adds a contact. One that is there keeps its remark unless there is a new one.
    pub async fn put_contact(
        &mut self,
        user: UserId,
        contact: UserId,
        remark: Option<&str>,
        now: i64,
    ) -> Result<()> {
        let tail = match remark {
            Some(_) => self
                .dialect()
                .on_conflict_overwrite("user_id, contact_id", &["remark"]),
            None => self.dialect().on_conflict_keep("user_id, contact_id"),
        };
        let sql = format!(
            "INSERT INTO contacts (user_id, contact_id, remark, created_at) VALUES (?, ?, ?, ?){tail}"
        );
        self.conn
            .execute(sql, args![user, contact, remark.unwrap_or_default(), now])
            .await?;
        Ok(())
    }

    /// How many contacts a user has, deleted accounts included; counted up to `most`.
    pub async fn count_contacts(&mut self, user: UserId, most: i64) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM contacts WHERE user_id = ? LIMIT ?) c";
        let row = self.conn.fetch_one(sql, args![user, most]).await?;
        row.map_or(Ok(0), |r| r.int(0))
    }

    /// Takes a contact off the list; answers whether it was on it.
    pub async fn delete_contact(&mut self, user: UserId, contact: UserId) -> Result<bool> {
        let sql = "DELETE FROM contacts WHERE user_id = ? AND contact_id = ?";
        Ok(self.conn.execute(sql, args![user, contact]).await? == 1)
    }
}
