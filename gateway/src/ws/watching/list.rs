//! Whom one connection watches.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use lingxi_domain::UserId;
use lingxi_domain::frame::server::{self, Seen};
use lingxi_im::Watched;
use lingxi_runtime::budget::Hold;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::ws::session::Session;

struct User {
    watched: Watched,
    /// What the client was told last.
    shown: bool,
}

struct Users {
    all: Vec<User>,
    /// When it was found out who of them may be seen.
    judged: Instant,
}

pub(super) struct List {
    session: Weak<Session>,
    pub(super) watcher: UserId,
    users: Mutex<Users>,
    _hold: Hold,
}

impl List {
    /// What the client has been told of these users is what `is_online` says of those whom it may see. `None` where there
    /// is no room for them.
    pub(super) fn new(
        session: &Arc<Session>,
        users: Vec<Watched>,
        is_online: impl Fn(UserId) -> bool,
        hold: Option<Hold>,
    ) -> Option<Self> {
        let names: usize = users.iter().map(|user| user.username.len()).sum();
        let mut hold = hold?;
        if !hold.grow(names + users.len() * size_of::<User>()) {
            return None;
        }
        let all = users.into_iter().map(|watched| User {
            shown: watched.visible && is_online(watched.id),
            watched,
        });
        Some(Self {
            session: Arc::downgrade(session),
            watcher: session.user_id,
            users: Mutex::new(Users {
                all: all.collect(),
                judged: Instant::now(),
            }),
            _hold: hold,
        })
    }

    pub(super) fn is_alive(&self) -> bool {
        let session = self.session.upgrade();
        session.is_some_and(|session| !session.has_ended())
    }

    /// Nothing more is told, also by a round that is under way.
    pub(super) fn end(&self) {
        self.users.lock().all.clear();
    }

    /// Everybody on it.
    pub(super) fn ids(&self) -> Vec<UserId> {
        let users = self.users.lock();
        users.all.iter().map(|user| user.watched.id).collect()
    }

    /// Since when it stands who may be seen; long ago where the gateway was told that it has changed.
    pub(super) fn judged(&self) -> Option<Instant> {
        let session = self.session.upgrade()?;
        let changed = session.sight_changed.load(Ordering::Relaxed);
        (!changed).then(|| self.users.lock().judged)
    }

    /// It is being found out anew who may be seen.
    pub(super) fn begin_judging(&self) {
        if let Some(session) = self.session.upgrade() {
            session.sight_changed.store(false, Ordering::Relaxed);
        }
        self.users.lock().judged = Instant::now();
    }

    /// These may be seen, and nobody else.
    pub(super) fn judge(&self, visible: &HashSet<UserId>) {
        for user in &mut self.users.lock().all {
            user.watched.visible = visible.contains(&user.watched.id);
        }
    }

    /// Tells the client what has changed.
    pub(super) fn tell(&self, online: &HashMap<UserId, bool>) {
        let mut users = self.users.lock();
        let mut changed = Vec::new();
        for user in &mut users.all {
            // One who was added since the question was asked is told of by the next round.
            let Some(&is_online) = online.get(&user.watched.id) else {
                continue;
            };
            let now = user.watched.visible && is_online;
            if now != user.shown {
                user.shown = now;
                changed.push(Seen {
                    username: &user.watched.username,
                    online: now,
                });
            }
        }
        if !changed.is_empty()
            && let Some(session) = self.session.upgrade()
        {
            session.push_plain(server::presence(&changed));
        }
    }
}
