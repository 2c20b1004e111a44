//! Who is there, told to those who ask: nobody is told of it unasked.

use std::collections::HashSet;

use lingxi_domain::{UserId, limits};

use crate::{Error, Inner, Result};

/// The longest name that is looked up, in bytes: none that is one is longer.
const MOST_BYTES: usize = 256;

/// Who is there. Made by [`crate::Im::presence`].
#[derive(Clone, Copy)]
pub struct Presence<'a> {
    pub(crate) im: &'a Inner,
}

/// Somebody whom a user wants to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Who.
    pub id: UserId,
    /// The account's name.
    pub username: String,
    /// Whether the watcher may see if they are there.
    pub visible: bool,
}

impl Presence<'_> {
    /// Whom these names mean, in their order; `None` where they mean nobody.
    ///
    /// # Errors
    /// `invalid_request` for too many names.
    pub async fn watched(&self, watcher: UserId, names: &[&str]) -> Result<Vec<Option<Watched>>> {
        if names.len() > limits::MAX_WATCHED {
            return Err(Error::invalid("watch: name at most 200 users."));
        }
        // They come back in the answer, which is to be no larger than a frame may be.
        if names.iter().any(|name| name.len() > MOST_BYTES) {
            return Err(Error::invalid("watch: no username is as long as that."));
        }
        let found = self.im.names.resolve_all(names).await?;
        let ids: Vec<UserId> = found.iter().flatten().map(|(id, _)| *id).collect();
        let visible = self.visible(watcher, &ids).await?;
        let watched = |(id, username)| Watched {
            visible: visible.contains(&id),
            id,
            username,
        };
        Ok(found.into_iter().map(|user| user.map(watched)).collect())
    }

    /// Those of these users whom the watcher may see: contacts, and who is in a conversation with them, but for who blocks
    /// them.
    pub async fn visible(&self, watcher: UserId, users: &[UserId]) -> Result<HashSet<UserId>> {
        if users.is_empty() {
            return Ok(HashSet::new());
        }
        let store = &self.im.store;
        let mut visible = store.acquaintances_among(watcher, users).await?;
        if users.contains(&watcher) {
            visible.insert(watcher);
        }
        for blocker in store.blockers_among(watcher, users).await? {
            visible.remove(&blocker);
        }
        Ok(visible)
    }

    /// Which of these users have an open connection anywhere, in their order; `None` while it is not known.
    pub async fn online(&self, users: &[UserId]) -> Option<Vec<bool>> {
        let online = self.im.cache.online(users).await;
        online
            .inspect_err(|error| tracing::warn!(%error, "who is online is not known"))
            .ok()
    }
}
