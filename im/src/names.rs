//! Usernames and ids, remembered in this process and in the shared cache: every message needs them.

use std::collections::HashMap;
use std::time::Duration;

use lingxi_cache::SharedCache;
use lingxi_domain::UserId;
use lingxi_domain::names::{UsernameKeys, username_keys};
use lingxi_store::{Store, User};
use moka::sync::Cache;

use crate::Result;

/// Names remembered, of each kind, before the least used are dropped.
const CAPACITY: u64 = 100_000;
/// A deleted account stops being found after this time; a name never belongs to another account.
const HIT_TTL: Duration = Duration::from_secs(300);
/// A name that was just registered elsewhere is found after this time.
const MISS_TTL: Duration = Duration::from_millis(500);

fn shared_key(key: &str) -> String {
    format!("name:{key}")
}

/// What a name is remembered by: of two accounts, each by its own.
fn remembered(keys: &UsernameKeys) -> &str {
    keys.older.as_ref().unwrap_or(&keys.key)
}

pub(crate) struct Names {
    store: Store,
    cache: SharedCache,
    by_key: Cache<String, (UserId, String)>,
    unknown: Cache<String, ()>,
    by_id: Cache<UserId, String>,
}

impl Names {
    pub(crate) fn new(store: Store, cache: SharedCache) -> Self {
        let hits = Cache::builder().max_capacity(CAPACITY);
        Self {
            store,
            cache,
            by_key: hits.time_to_live(HIT_TTL).build(),
            unknown: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(MISS_TTL)
                .build(),
            by_id: Cache::new(CAPACITY),
        }
    }

    /// The account of that name, however it is written, with its name as it was registered; `None` when there is none.
    pub(crate) async fn resolve(&self, username: &str) -> Result<Option<(UserId, String)>> {
        let Some(keys) = username_keys(username) else {
            return Ok(None);
        };
        let key = remembered(&keys);
        if let Some(found) = self.by_key.get(key) {
            return Ok(Some(found));
        }
        if self.unknown.contains_key(key) {
            return Ok(None);
        }
        if let Some(found) = self.shared(key).await {
            self.by_key.insert(key.to_owned(), found.clone());
            return Ok(Some(found));
        }
        match self.account(&keys).await? {
            Some((user, _)) if !user.deleted => {
                let found = (user.id, user.username);
                let value = format!("{}:{}", found.0, found.1);
                let _ = self.cache.put(&shared_key(key), &value, HIT_TTL).await;
                self.by_key.insert(key.to_owned(), found.clone());
                Ok(Some(found))
            }
            _ => {
                self.unknown.insert(key.to_owned(), ());
                Ok(None)
            }
        }
    }

    /// [`Self::resolve`] of each of these names, in their order: one query for those that are not remembered here.
    pub(crate) async fn resolve_all(
        &self,
        usernames: &[&str],
    ) -> Result<Vec<Option<(UserId, String)>>> {
        let mut missing = Vec::new();
        for keys in usernames.iter().filter_map(|name| username_keys(name)) {
            let known = self.by_key.contains_key(&keys.key) || self.unknown.contains_key(&keys.key);
            // The few that older accounts may have are looked up each for itself.
            if !known && keys.older.is_none() {
                missing.push(keys.key);
            }
        }
        let keys: Vec<&str> = missing.iter().map(String::as_str).collect();
        for (id, username, key) in self.store.users_by_keys(&keys).await? {
            self.by_key.insert(key, (id, username));
        }
        for key in missing {
            if !self.by_key.contains_key(&key) {
                self.unknown.insert(key, ());
            }
        }
        let mut found = Vec::with_capacity(usernames.len());
        for name in usernames {
            found.push(self.resolve(name).await?);
        }
        Ok(found)
    }

    /// An account, also a banned or deleted one, and the hash of its password. One that was made before names had their
    /// present key, and could not get it because it was taken, is found by what it has.
    pub(crate) async fn account(&self, keys: &UsernameKeys) -> Result<Option<(User, String)>> {
        if let Some(older) = &keys.older
            && let Some(found) = self.store.user_by_key(older).await?
        {
            return Ok(Some(found));
        }
        Ok(self.store.user_by_key(&keys.key).await?)
    }

    /// What another process has looked up. Only names that exist are shared, and a name never changes its account, so
    /// nothing in there can be wrong, only missing.
    async fn shared(&self, key: &str) -> Option<(UserId, String)> {
        let value = self.cache.get(&shared_key(key)).await.ok()??;
        let (id, name) = value.split_once(':')?;
        Some((id.parse().ok()?, name.to_owned()))
    }

    /// A name has been registered here: it is found at once.
    pub(crate) fn registered(&self, username: &str) {
        if let Some(keys) = username_keys(username) {
            self.unknown.invalidate(&keys.key);
            self.unknown.invalidate(remembered(&keys));
        }
    }

    /// The names of those of these accounts that exist or once did: one query for those that are not remembered.
    pub(crate) async fn of(&self, ids: &[UserId]) -> Result<HashMap<UserId, String>> {
        let mut names = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for &id in ids {
            if names.contains_key(&id) || missing.contains(&id) {
                continue;
            }
            match self.by_id.get(&id) {
                Some(name) => {
                    names.insert(id, name);
                }
                None => missing.push(id),
            }
        }
        if !missing.is_empty() {
            for (id, name) in self.store.usernames(&missing).await? {
                self.by_id.insert(id, name.clone());
                names.insert(id, name);
            }
        }
        Ok(names)
    }
}
