//! What users change of their accounts.

use lingxi_domain::UserId;

use super::User;
use super::users::{COLUMNS, user};
use crate::Store;
use crate::error::Result;
use crate::names::{Kind, folded, reindex};
use crate::sql::args;

/// What is to be changed of what an account shows; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// The name to show.
    pub nickname: Option<String>,
    /// The picture's address.
    pub avatar: Option<String>,
    /// A line about oneself.
    pub signature: Option<String>,
}

impl Store {
    /// Changes what an account shows; answers it as it is then, or nothing where it is not there or was deleted. From the
    /// commit on it is found by its new nickname, and no longer by the old one.
    pub async fn change_profile(&self, id: UserId, change: &ProfileChange) -> Result<Option<User>> {
        self.retried(|| self.change_profile_once(id, change)).await
    }

    async fn change_profile_once(
        &self,
        id: UserId,
        change: &ProfileChange,
    ) -> Result<Option<User>> {
        let mut conn = self.db.begin().await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM users WHERE id = ? AND deleted_at IS NULL{}",
            conn.dialect().for_update()
        );
        let Some(row) = conn.fetch_one(sql, args![id]).await? else {
            return Ok(None);
        };
        let before = user(&row)?;
        let mut after = before.clone();
        let ProfileChange {
            nickname,
            avatar,
            signature,
        } = change.clone();
        after.nickname = nickname.unwrap_or(after.nickname);
        after.avatar = avatar.unwrap_or(after.avatar);
        after.signature = signature.unwrap_or(after.signature);
        if after == before {
            return Ok(Some(after));
        }
        let key = folded(&after.nickname);
        let sql = "UPDATE users SET nickname = ?, nickname_key = ?, avatar = ?, signature = ? WHERE id = ?";
        let values = args![&after.nickname, &key, &after.avatar, &after.signature, id];
        conn.execute(sql, values).await?;
        if after.nickname != before.nickname {
            let (name, old) = (folded(&after.username), folded(&before.nickname));
            let names: (&[&str], &[&str]) = (&[&name, &old], &[&name, &key]);
            reindex(&mut conn, Kind::User, id, names).await?;
        }
        conn.commit().await?;
        Ok(Some(after))
    }

    /// Puts the hash of a new password in the place of `old`, and ends all tokens of the account; answers the version that
    /// new ones have. Nothing where the hash is another one by now.
    pub async fn change_password(&self, id: UserId, old: &str, new: &str) -> Result<Option<i64>> {
        self.retried(async || {
            let mut tx = self.begin().await?;
            let sql = "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ? AND deleted_at IS NULL";
            if tx.conn.execute(sql, args![new, id, old]).await? == 0 {
                return Ok(None);
            }
            let version = tx.bump_token_version(id).await?;
            tx.commit().await?;
            Ok(Some(version))
        })
        .await
    }
}
