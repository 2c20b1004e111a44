//! Accounts.

use lingxi_domain::UserId;
use lingxi_domain::role::AccountRole;

use crate::error::{Error, Result};
use crate::sql::{Row, args, containing};
use crate::{Store, Tx};

/// An account, without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its name, as it was registered; never changed, never given to another account.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// The picture's address; may be empty.
    pub avatar: String,
    /// A line about oneself; may be empty.
    pub signature: String,
    /// What kind of account it is.
    pub role: AccountRole,
    /// Tokens of a lower version no longer work.
    pub token_version: i64,
    /// Whether an operator has locked it out.
    pub banned: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// When it was made, milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// Its name.
    pub username: &'a str,
    /// The form under which the name is unique and looked up.
    pub username_key: &'a str,
    /// The hash of its password; a text that is no hash lets nobody log in.
    pub password_hash: &'a str,
    /// The name to show.
    pub nickname: &'a str,
    /// What kind of account it is.
    pub role: AccountRole,
    /// Now, milliseconds since the Unix epoch.
    pub created_at: i64,
}

const COLUMNS: &str = "id, username, nickname, avatar, signature, role, token_version, banned, deleted_at, created_at";
const WIDTH: usize = 10;

fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.int(0)?,
        username: row.text(1)?,
        nickname: row.text(2)?,
        avatar: row.text(3)?,
        signature: row.text(4)?,
        role: AccountRole::parse(&row.text(5)?),
        token_version: row.int(6)?,
        banned: row.int(7)? != 0,
        deleted: row.opt_int(8)?.is_some(),
        created_at: row.int(9)?,
    })
}

impl Store {
    /// Makes an account; answers its id.
    ///
    /// # Errors
    /// `Constraint("users_username_key")` when the name is in use or ever was.
    pub async fn create_user(&self, new: &NewUser<'_>) -> Result<UserId> {
        self.retried(|| self.create_user_once(new)).await
    }

    async fn create_user_once(&self, new: &NewUser<'_>) -> Result<UserId> {
        let mut conn = self.db.alone().await?;
        let sql = "INSERT INTO users (username, username_key, password_hash, nickname, role, created_at) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        let values = args![
            new.username,
            new.username_key,
            new.password_hash,
            new.nickname,
            new.role.as_str(),
            new.created_at
        ];
        let id = conn.insert(sql, values).await?;
        conn.commit().await?;
        Ok(id)
    }

    /// An account by its id, also a banned or deleted one.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id = ?");
        let row = self.reader().await?.fetch_one(sql, args![id]).await?;
        row.as_ref().map(user).transpose()
    }

    /// An account and the hash of its password, by the form under which its name is unique; also a banned or deleted
    /// one.
    pub async fn user_by_key(&self, username_key: &str) -> Result<Option<(User, String)>> {
        let sql = format!("SELECT {COLUMNS}, password_hash FROM users WHERE username_key = ?");
        let row = self
            .reader()
            .await?
            .fetch_one(sql, args![username_key])
            .await?;
        row.map(|r| Ok((user(&r)?, r.text(WIDTH)?))).transpose()
    }

    /// Those of these accounts that exist, in no particular order.
    pub async fn users(&self, ids: &[UserId]) -> Result<Vec<User>> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE id IN (*)");
        let rows = self.reader().await?.fetch_in(&sql, vec![], ids).await?;
        rows.iter().map(user).collect()
    }

    /// The names of those of these accounts that exist, in no particular order.
    pub async fn usernames(&self, ids: &[UserId]) -> Result<Vec<(UserId, String)>> {
        let sql = "SELECT id, username FROM users WHERE id IN (*)";
        let rows = self.reader().await?.fetch_in(sql, vec![], ids).await?;
        rows.iter().map(|r| Ok((r.int(0)?, r.text(1)?))).collect()
    }

    /// For those of these accounts that exist: the token version, and whether it is banned or deleted.
    pub async fn token_versions(&self, ids: &[UserId]) -> Result<Vec<(UserId, i64, bool)>> {
        let sql = "SELECT id, token_version, banned, deleted_at FROM users WHERE id IN (*)";
        let rows = self.reader().await?.fetch_in(sql, vec![], ids).await?;
        rows.iter()
            .map(|row| {
                let gone = row.int(2)? != 0 || row.opt_int(3)?.is_some();
                Ok((row.int(0)?, row.int(1)?, gone))
            })
            .collect()
    }

    /// Accounts whose username or nickname contains `keyword`, without regard to case and without wildcards; `except`
    /// and deleted ones are left out. By name, at most `limit`.
    pub async fn search_users(
        &self,
        keyword: &str,
        except: UserId,
        limit: i64,
    ) -> Result<Vec<User>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM users WHERE ({} OR {}) \
             AND id <> ? AND deleted_at IS NULL ORDER BY username_key LIMIT ?",
            self.dialect().like("username_key"),
            self.dialect().like("nickname")
        );
        let values = args![
            containing(&keyword.to_lowercase()),
            containing(keyword),
            except,
            limit
        ];
        let rows = self.reader().await?.fetch(sql, values).await?;
        rows.iter().map(user).collect()
    }

    /// Ends all tokens of an account; answers the version that new ones have.
    pub async fn bump_token_version(&self, id: UserId) -> Result<i64> {
        self.retried(async || {
            let mut tx = self.begin().await?;
            let version = tx.bump_token_version(id).await?;
            tx.commit().await?;
            Ok(version)
        })
        .await
    }

    /// Makes an account another kind of account. Tokens that it has keep the role they were made with.
    pub async fn set_role(&self, id: UserId, role: AccountRole) -> Result<()> {
        let sql = "UPDATE users SET role = ? WHERE id = ?";
        self.retried(|| self.execute(sql, args![role.as_str(), id]))
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Ends all tokens of an account; answers the version that new ones have.
    pub async fn bump_token_version(&mut self, id: UserId) -> Result<i64> {
        let sql = "UPDATE users SET token_version = token_version + 1 WHERE id = ?";
        self.conn.execute(sql, args![id]).await?;
        let sql = "SELECT token_version FROM users WHERE id = ?";
        let row = self.conn.fetch_one(sql, args![id]).await?;
        row.ok_or_else(|| Error::Corrupt(format!("user {id} is not there")))?
            .int(0)
    }
}
