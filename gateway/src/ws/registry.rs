//! Which users are connected here, and by which connections: the gateway's side of the per-user subjects.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lingxi_bus::{Message, SharedBus, Sink, Subject};
use lingxi_domain::UserId;
use lingxi_domain::frame::server;
use lingxi_proto::Message as _;
use lingxi_proto::bus::{Push, control};
use lingxi_runtime::shutdown::Tasks;
use parking_lot::RwLock;
use rand::RngExt as _;

use super::allowance::Allowance;
use super::close::Close;
use super::resync::ResyncQueue;
use super::session::Session;
use super::slot::Slot;

/// How many connections a user may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionPolicy {
    /// One: a newer one closes the older.
    Single,
    /// As many as [`crate::Options::sockets_per_user`]: a newer one beyond them closes the oldest.
    Multi,
}

/// The connected users of one gateway.
pub(crate) struct Registry {
    users: RwLock<HashMap<UserId, Slot>>,
    bus: SharedBus,
    resync: ResyncQueue,
    /// Connections that a user may have.
    most: usize,
    tasks: Tasks,
    /// Over how many milliseconds clients are told to come back, once the node drains; 0 before.
    draining: AtomicU64,
}

/// Receives what is published for one user, for as long as the registry lives.
struct Subscriber(std::sync::Weak<Registry>);

impl Registry {
    /// Nobody yet; `most` is how many connections a user may have.
    pub(crate) fn new(bus: SharedBus, resync: ResyncQueue, most: usize, tasks: Tasks) -> Arc<Self> {
        Arc::new(Self {
            users: RwLock::default(),
            bus,
            resync,
            most: most.max(1),
            tasks,
            draining: AtomicU64::new(0),
        })
    }

    /// Adds a session, listening to its user's subject first: when this returns, nothing published later is missed, and
    /// the user's older connections, wherever they are, have been told to close.
    pub(crate) async fn add(self: &Arc<Self>, session: &Arc<Session>) -> lingxi_bus::Result<()> {
        let user = session.user_id;
        let first = {
            let mut users = self.users.write();
            let slot = users.entry(user).or_insert_with(|| Slot::new(user));
            slot.sessions.push(session.clone());
            slot.subscription.is_none()
        };
        if first {
            let subscriber = Arc::new(Subscriber(Arc::downgrade(self)));
            let subscription = self
                .bus
                .subscribe(Subject::User(user), None, subscriber)
                .await?;
            // Two connections of one user may both come here first: the one that finds a subscription drops its own.
            // One that left meanwhile took the slot along.
            if let Some(slot) = self.users.write().get_mut(&user) {
                slot.subscription.get_or_insert(subscription);
            }
        }
        self.announce(user, session.connection_id).await;
        Ok(())
    }

    /// Announces every connection once more: announcements of newer ones elsewhere may have been missed, and whoever holds
    /// a newer one answers.
    pub(crate) async fn announce_all(&self) {
        for session in self.all() {
            self.announce(session.user_id, session.connection_id).await;
        }
    }

    /// What the user may still send, whatever socket they send it on.
    pub(crate) fn allowance(&self, user: UserId) -> Arc<Allowance> {
        let users = self.users.read();
        let slot = users.get(&user).map(|slot| slot.allowance.clone());
        // One that was removed already: nothing of it is heard any more.
        slot.unwrap_or_else(|| Arc::new(Allowance::new(user)))
    }

    async fn announce(&self, user: UserId, connection_id: i64) {
        let push = Push::control(control::Kind::Connected(connection_id));
        if let Err(error) = self.bus.publish(&Subject::User(user), push).await {
            tracing::warn!(%error, "a new connection could not be announced; an older one stays until it is compared");
        }
    }

    /// Removes this very session; a newer one of the same user stays. Returns true if the user has none left here.
    pub(crate) fn remove(&self, session: &Session) -> bool {
        let mut users = self.users.write();
        let Some(slot) = users.get_mut(&session.user_id) else {
            return true;
        };
        slot.sessions
            .retain(|s| s.connection_id != session.connection_id);
        let empty = slot.sessions.is_empty();
        let slot = if empty {
            users.remove(&session.user_id)
        } else {
            None
        };
        // A subscription ends outside the lock: ending it takes the bus's own lock, which a push may hold.
        drop(users);
        drop(slot);
        empty
    }

    /// Every session.
    pub(crate) fn all(&self) -> Vec<Arc<Session>> {
        self.users
            .read()
            .values()
            .flat_map(|slot| slot.sessions.iter().cloned())
            .collect()
    }

    /// Every connected user.
    pub(crate) fn user_ids(&self) -> Vec<UserId> {
        self.users.read().keys().copied().collect()
    }

    fn sessions_of(&self, user: UserId) -> Vec<Arc<Session>> {
        self.users
            .read()
            .get(&user)
            .map(|slot| slot.sessions.clone())
            .unwrap_or_default()
    }

    /// Closes the user's sessions whose tokens are of a lower version.
    pub(crate) fn expire_tokens(&self, user: UserId, version: i64) {
        for session in self.sessions_of(user) {
            if session.token_version < version {
                session.push_plain(server::kicked(
                    "this session's token no longer works; log in again",
                ));
                session.close(Close::Unauthorized);
            }
        }
    }

    fn sight_changed(&self, user: UserId) {
        for session in self.sessions_of(user) {
            session.sight_changed.store(true, Ordering::Relaxed);
        }
    }

    /// Tells every client when to come back, spread over `spread`, and closes; so it goes for those who come later.
    pub(crate) fn drain(&self, spread: Duration) {
        let most = u64::try_from(spread.as_millis()).unwrap_or(u64::MAX).max(1);
        self.draining.store(most, Ordering::SeqCst);
        for session in self.all() {
            self.send_away(&session);
        }
    }

    /// Whether the node drains.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst) > 0
    }

    /// Tells a client when to come back, and closes.
    pub(crate) fn send_away(&self, session: &Session) {
        let most = self.draining.load(Ordering::SeqCst).max(1);
        session.push_plain(server::drain(rand::rng().random_range(0..most)));
        session.close(Close::Draining);
    }

    /// Judges the user's sessions here, after another one of theirs was announced, wherever it is: those beyond the newest
    /// are told to close.
    fn announced(self: &Arc<Self>, user: UserId, connection_id: i64) {
        let (over, kept) = {
            let mut users = self.users.write();
            let Some(slot) = users.get_mut(&user) else {
                return;
            };
            let is_news = slot.heard_of(connection_id, self.most);
            let (over, mut kept) = slot.judged(self.most);
            if !is_news {
                kept.clear();
            }
            (over, kept)
        };
        for session in over {
            session.push_plain(server::kicked("this account has connected elsewhere"));
            session.close(Close::Superseded);
        }
        if !kept.is_empty() {
            // Whoever announced itself learns of those that count beside it.
            let registry = self.clone();
            self.tasks.spawn(async move {
                for session in kept {
                    registry.announce(user, session.connection_id).await;
                }
            });
        }
    }

    fn push(self: Arc<Self>, user: UserId, message: Message) {
        let span = tracing::debug_span!("message out", user);
        message.trace.set_parent(&span);
        let _entered = span.enter();
        let Ok(Push { frames, control }) = Push::decode(message.payload) else {
            tracing::error!("a push could not be read");
            return;
        };
        match control.and_then(|c| c.kind) {
            Some(control::Kind::Connected(id)) => self.announced(user, id),
            Some(control::Kind::TokenVersion(version)) => self.expire_tokens(user, version),
            Some(control::Kind::SightChanged(_)) => self.sight_changed(user),
            _ => {}
        }
        let mut written = message.reply;
        let users = self.users.read();
        let Some(slot) = users.get(&user) else { return };
        for frame in frames {
            // The newest first: it is the one that surely stays, so it answers.
            for session in slot.sessions.iter().rev() {
                let hole = session.push(frame.clone(), written.take());
                if hole {
                    self.resync.ask(session);
                }
            }
        }
    }
}

impl Sink for Subscriber {
    fn deliver(&self, subject: &Subject, message: Message) {
        if let (Some(registry), Subject::User(user)) = (self.0.upgrade(), subject) {
            registry.push(*user, message);
        }
    }
}
