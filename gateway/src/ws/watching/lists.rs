//! The lists of one gateway.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::frame::server::{self, Seen};
use lingxi_domain::{ErrorCode, UserId};
use lingxi_im::{Error, Im};
use parking_lot::Mutex;

use super::list::List;
use crate::ws::queues::Queues;
use crate::ws::session::Session;

/// The lists of this gateway's connections, by the connection's id.
#[derive(Default)]
pub(crate) struct Watching(Mutex<HashMap<i64, Arc<List>>>);

impl Watching {
    /// The connection watches these users from now on and no others; it is told at once who of them is there.
    ///
    /// # Errors
    /// `invalid_request` for too many names; `unavailable` where there is no room for them.
    pub(crate) async fn watch(
        &self,
        (im, queues): (&Im, &Queues),
        session: &Arc<Session>,
        names: &[&str],
    ) -> Result<(), Error> {
        let presence = im.presence();
        let watched = presence.watched(session.user_id, names).await?;
        let visible = watched.iter().flatten().filter(|user| user.visible);
        let ids: Vec<UserId> = visible.map(|user| user.id).collect();
        // Unknown is offline, until a round knows better.
        let online = presence.online(&ids).await.unwrap_or_default();
        let online: HashMap<UserId, bool> = ids.into_iter().zip(online).collect();
        let is_online = |id: UserId| online.get(&id).copied().unwrap_or(false);

        let seen = names.iter().zip(&watched).map(|(name, user)| match user {
            Some(user) if user.visible => Seen {
                username: &user.username,
                online: is_online(user.id),
            },
            _ => Seen {
                username: name,
                online: false,
            },
        });
        let answer = server::presence(&seen.collect::<Vec<_>>());
        let users: Vec<_> = watched.into_iter().flatten().collect();
        if users.is_empty() {
            self.forget(session);
            session.push_plain(answer);
            return Ok(());
        }
        let list = List::new(session, users, is_online, queues.hold());
        let list = list.ok_or(ErrorCode::Unavailable)?;
        // In this order nothing of the older list comes behind the answer, and nothing of the newer one before it.
        self.forget(session);
        session.push_plain(answer);
        self.0.lock().insert(session.connection_id, Arc::new(list));
        Ok(())
    }

    /// The connection watches nobody any more.
    pub(crate) fn forget(&self, session: &Session) {
        let forgotten = self.0.lock().remove(&session.connection_id);
        if let Some(list) = forgotten {
            list.end();
        }
    }

    pub(super) fn all(&self) -> Vec<Arc<List>> {
        let mut lists = self.0.lock();
        lists.retain(|_, list| list.is_alive());
        lists.values().cloned().collect()
    }
}
