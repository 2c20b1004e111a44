//! Lists of contacts, and whom one blocks.

mod blocks;

use lingxi_domain::{ErrorCode, UserId, limits, names, now_ms};
use serde::{Deserialize, Serialize};

use crate::actor::begin;
use crate::error::Failed;
use crate::presence::Presence;
use crate::{Actor, Error, Inner, Listed, Page, Result};

/// Contacts. Made by [`crate::Im::contacts`].
#[derive(Clone, Copy)]
pub struct Contacts<'a> {
    pub(crate) im: &'a Inner,
}

/// A contact with what the list shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Who.
    pub id: UserId,
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
    /// Whether the contact has an open connection anywhere, as far as is known; never for one who blocks the keeper.
    pub online: bool,
}

/// A contact that was added or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Who.
    pub id: UserId,
    /// The account's name, as it was registered.
    pub username: String,
}

impl Contacts<'_> {
    /// A user's contacts, by name.
    pub async fn list(&self, user: UserId) -> Result<Vec<Contact>> {
        let rows = self.im.store.contacts(user).await?;
        self.shown(user, rows).await
    }

    /// A user's contacts by name, in pages; one goes on behind the username of its last one.
    pub async fn page(&self, user: UserId, page: &Page<String>) -> Result<Listed<Contact>> {
        let after = page.after.as_deref().map(names::username_key);
        let (after, rows) = (after.unwrap_or_default(), page.rows());
        let found = self.im.store.contacts_page(user, &after, rows + 1).await?;
        Ok(Listed::fitting(self.shown(user, found).await?, rows))
    }

    async fn shown(&self, user: UserId, rows: Vec<lingxi_store::Contact>) -> Result<Vec<Contact>> {
        let ids: Vec<UserId> = rows.iter().map(|row| row.user_id).collect();
        let blockers = self.im.store.blockers_among(user, &ids).await?;
        let online = Presence { im: self.im }.online(&ids).await;
        let online = online.into_iter().flatten().chain(std::iter::repeat(false));
        let contacts = rows.into_iter().zip(online).map(|(row, online)| Contact {
            id: row.user_id,
            username: row.username,
            nickname: row.nickname,
            avatar: row.avatar,
            signature: row.signature,
            remark: row.remark,
            online: online && !blockers.contains(&row.user_id),
        });
        Ok(contacts.collect())
    }

    /// Adds a contact. One that is there keeps its remark unless there is a new one.
    ///
    /// # Errors
    /// `user_not_found`; `invalid_request` for oneself or a remark that is too long; `too_many_contacts`.
    pub async fn add(&self, actor: &Actor, username: &str, remark: Option<&str>) -> Result<Saved> {
        let remark = remark
            .map(|remark| names::line("remark", remark, limits::MAX_REMARK_CHARS))
            .transpose()?;
        let remark = remark.as_deref();
        let found = self.im.names.resolve(username).await?;
        let once = || self.add_once(actor, found.clone(), remark);
        Ok(self.im.store.retried(once).await?)
    }

    async fn add_once(
        &self,
        actor: &Actor,
        found: Option<(UserId, String)>,
        remark: Option<&str>,
    ) -> Result<Saved, Failed> {
        let mut tx = begin!(actor, &self.im.store);
        let (id, username) = found.ok_or(ErrorCode::UserNotFound)?;
        if id == actor.user_id {
            let message = "username: you cannot be your own contact; name another user.";
            return Err(Error::invalid(message).into());
        }
        // The lock keeps those that are added at once from being counted before each other.
        tx.lock_user(actor.user_id).await?;
        let full = tx
            .count_contacts(actor.user_id, limits::MAX_CONTACTS)
            .await?
            >= limits::MAX_CONTACTS;
        if full && !tx.is_contact(actor.user_id, id).await? {
            return Err(ErrorCode::TooManyContacts.into());
        }
        tx.put_contact(actor.user_id, id, remark, now_ms()).await?;
        let saved = Saved { id, username };
        actor.commit(tx, &saved).await?;
        Ok(saved)
    }

    /// Changes what the caller calls a contact; empty is nothing.
    ///
    /// # Errors
    /// `user_not_found`, `contact_not_found`; `invalid_request` for a remark that is too long.
    pub async fn set_remark(&self, user: UserId, username: &str, remark: &str) -> Result<Contact> {
        let remark = names::line("remark", remark, limits::MAX_REMARK_CHARS)?;
        let found = self.im.names.resolve(username).await?;
        let (id, _) = found.ok_or(ErrorCode::UserNotFound)?;
        let changed = self.im.store.set_remark(user, id, &remark).await?;
        let changed = changed.ok_or(ErrorCode::ContactNotFound)?;
        let mut shown = self.shown(user, vec![changed]).await?;
        shown.pop().ok_or_else(|| ErrorCode::ContactNotFound.into())
    }

    /// Takes a contact off the list.
    ///
    /// # Errors
    /// `user_not_found`, `contact_not_found`.
    pub async fn delete(&self, actor: &Actor, username: &str) -> Result<Saved> {
        let found = self.im.names.resolve(username).await?;
        let once = || self.delete_once(actor, found.clone());
        Ok(self.im.store.retried(once).await?)
    }

    async fn delete_once(
        &self,
        actor: &Actor,
        found: Option<(UserId, String)>,
    ) -> Result<Saved, Failed> {
        let mut tx = begin!(actor, &self.im.store);
        let (id, username) = found.ok_or(ErrorCode::UserNotFound)?;
        if !tx.delete_contact(actor.user_id, id).await? {
            return Err(ErrorCode::ContactNotFound.into());
        }
        let saved = Saved { id, username };
        actor.commit(tx, &saved).await?;
        Ok(saved)
    }
}
