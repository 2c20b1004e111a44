//! Accounts.

use std::collections::HashMap;

use lingxi_domain::role::AccountRole;
use lingxi_domain::{UserId, names};

use crate::error::{Error, Result};
use crate::names::{Kind, Page, Scan, folded, index};
use crate::sql::{Conn, Row, args};
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

pub(super) const COLUMNS: &str = "id, username, nickname, avatar, signature, role, token_version, banned, deleted_at, created_at";
const WIDTH: usize = 10;

pub(super) fn user(row: &Row) -> Result<User> {
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
    /// `Constraint("users_username_key")` when the name is in use or ever was, `Constraint("users_username_skeleton")` when
    /// nobody could tell it from another account's. Two of the latter that are made at the same moment may both be there.
    pub async fn create_user(&self, new: &NewUser<'_>) -> Result<UserId> {
        self.retried(|| self.create_user_once(new)).await
    }

    async fn create_user_once(&self, new: &NewUser<'_>) -> Result<UserId> {
        let mut conn = self.db.begin().await?;
        let id = insert_user(&mut conn, new).await?;
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

    /// The id, name and key of those of these keys that are accounts' and not deleted, in no particular order.
    pub async fn users_by_keys(&self, keys: &[&str]) -> Result<Vec<(UserId, String, String)>> {
        let sql = "SELECT id, username, username_key FROM users WHERE deleted_at IS NULL AND username_key IN (*)";
        let rows = self.reader().await?.fetch_in(sql, vec![], keys).await?;
        rows.iter()
            .map(|row| Ok((row.int(0)?, row.text(1)?, row.text(2)?)))
            .collect()
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

    /// Accounts whose username or nickname contains `keyword`, which is folded; `except` and deleted ones are left out.
    /// First those with a word that begins with it, each part by what follows the keyword; at most `limit`, those after
    /// `after` where there is one.
    pub async fn search_users(
        &self,
        keyword: &str,
        except: UserId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Page<User>> {
        let mut searcher = self.searcher().await?;
        let conn = &mut searcher.conn;
        let mut scan = Scan::new(Kind::User, keyword);
        if let Some(id) = after {
            let named = named(conn, &[id]).await?;
            let owned = named.get(&id).map(|(_, owned)| owned.as_slice());
            scan = scan.after(id, owned.unwrap_or_default().iter().map(String::as_str));
        }
        let mut found = Vec::new();
        while found.len() <= limit
            && let Some(hits) = scan.next(conn, limit + 1 - found.len()).await?
        {
            let ids: Vec<UserId> = hits.iter().map(|hit| hit.id).collect();
            let mut named = named(conn, &ids).await?;
            for hit in hits.iter().filter(|hit| hit.id != except) {
                let first = named.get(&hit.id).is_some_and(|(user, owned)| {
                    !user.deleted && scan.is_first(hit, owned.iter().map(String::as_str))
                });
                if first && let Some((user, _)) = named.remove(&hit.id) {
                    found.push(user);
                }
            }
        }
        Ok(Page::of(found, limit, &scan))
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

/// Writes a new account and what it is found by; answers its id.
pub(crate) async fn insert_user(conn: &mut Conn, new: &NewUser<'_>) -> Result<UserId> {
    if is_lookalike(conn, new).await? {
        return Err(Error::Constraint("users_username_skeleton"));
    }
    let nickname_key = folded(new.nickname);
    let sql = "INSERT INTO users (username, username_key, username_skeleton, password_hash, nickname, nickname_key, \
               role, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let values = args![
        new.username,
        new.username_key,
        names::skeleton(new.username_key),
        new.password_hash,
        new.nickname,
        &nickname_key,
        new.role.as_str(),
        new.created_at
    ];
    let id = conn.insert(sql, values).await?;
    let name_key = folded(new.username);
    let owner = (id, vec![name_key.as_str(), nickname_key.as_str()]);
    index(conn, Kind::User, &[owner]).await?;
    Ok(id)
}

/// Whether nobody could tell the new name from that of another account.
async fn is_lookalike(conn: &mut Conn, new: &NewUser<'_>) -> Result<bool> {
    // More that look the same and are of one script are not looked at.
    let sql = "SELECT username_key FROM users WHERE username_skeleton IN (?, ?) LIMIT 64";
    let [one, other] = names::skeletons(new.username, new.username_key);
    for row in conn.fetch(sql, args![one, other]).await? {
        if names::confusable(new.username_key, &row.text(0)?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Those of these accounts that exist, with their folded names.
async fn named(conn: &mut Conn, ids: &[UserId]) -> Result<HashMap<UserId, (User, [String; 2])>> {
    let sql = format!("SELECT {COLUMNS}, nickname_key FROM users WHERE id IN (*)");
    let mut found = HashMap::with_capacity(ids.len());
    for row in conn.fetch_in(&sql, vec![], ids).await? {
        let user = user(&row)?;
        let owned = [
            folded(&user.username),
            row.opt_text(WIDTH)?.unwrap_or_default(),
        ];
        found.insert(user.id, (user, owned));
    }
    Ok(found)
}
