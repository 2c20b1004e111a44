//! A user's list of conversations, private and group in one.

use std::collections::HashMap;

use lingxi_domain::{ConversationKey, GroupId, Seq, UserId, limits};

use crate::frames::{Beside, encode};
use crate::{Inner, Result};

/// Lists of conversations. Made by [`crate::Im::conversations`].
#[derive(Clone, Copy)]
pub struct Conversations<'a> {
    pub(crate) im: &'a Inner,
}

/// One row of a user's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationSummary {
    /// The conversation's key.
    pub conversation: String,
    /// With whom.
    pub with: Counterpart,
    /// Messages of others behind the read cursor; [`limits::MAX_UNREAD`] means that or more.
    pub unread: i64,
    /// The last entry that the user may see.
    pub last_seq: Seq,
    /// The user's read cursor.
    pub read_seq: Seq,
    /// When its newest message was, or when it was made: milliseconds since the Unix epoch.
    pub last_time: i64,
    /// How far the other side of a private conversation has read it.
    pub peer_read_seq: Option<Seq>,
    /// Messages of others behind the read cursor that mention the user; [`limits::MAX_UNREAD`] means that or more.
    pub mentions: i64,
    /// Until when the user wants no notifications of it, milliseconds since the Unix epoch; 0 for those who want them.
    pub muted_until: i64,
    /// Its newest message as JSON, in the shape of a pushed frame; `None` when it has none.
    pub last_message: Option<String>,
}

/// Whom a conversation is with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counterpart {
    /// A user; oneself in a talk with oneself.
    User {
        /// The account's name.
        username: String,
        /// The name to show.
        nickname: String,
    },
    /// A group.
    Group {
        /// Its id.
        id: GroupId,
        /// Its name.
        name: String,
    },
}

impl Conversations<'_> {
    /// A user's conversations, newest `last_time` first; with `before`, those whose `last_time` is lower. At most
    /// `limit`, no more than [`limits::MAX_PAGE`]. Four queries, however many rows.
    pub async fn list(
        &self,
        user: UserId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<ConversationSummary>> {
        let before = before.unwrap_or(i64::MAX);
        let limit = limit.clamp(1, limits::MAX_PAGE);
        let rows = self.im.store.conversations_of(user, before, limit).await?;
        let keys: Vec<Option<ConversationKey>> = rows
            .iter()
            .map(|row| row.conversation.parse().ok())
            .collect();
        let peers: Vec<UserId> = keys
            .iter()
            .flatten()
            .filter_map(|key| key.peer_of(user))
            .collect();
        let groups: Vec<GroupId> = keys
            .iter()
            .flatten()
            .filter_map(|key| key.group())
            .collect();
        let shown: Vec<&str> = rows.iter().map(|row| row.conversation.as_str()).collect();
        let standings = self.im.store.standings(user, &shown).await?;
        let mut users = self.users(&peers, user).await?;
        let mut groups: HashMap<GroupId, String> = self
            .im
            .store
            .group_names(&groups)
            .await?
            .into_iter()
            .collect();
        let me = users
            .get(&user)
            .map(|(username, _)| username.clone())
            .unwrap_or_default();

        let mut list = Vec::with_capacity(rows.len());
        for (row, key) in rows.into_iter().zip(keys) {
            let Some(key) = key else { continue };
            let with = match key {
                ConversationKey::Group(id) => Counterpart::Group {
                    id,
                    name: groups.remove(&id).unwrap_or_default(),
                },
                ConversationKey::Direct(..) => {
                    let peer = key.peer_of(user).unwrap_or(user);
                    let (username, nickname) = users.remove(&peer).unwrap_or_default();
                    Counterpart::User { username, nickname }
                }
            };
            let last_message = row.last_message.map(|last| {
                let to = match &with {
                    Counterpart::User { username, .. } if last.sender_id == user => {
                        Some(username.as_str())
                    }
                    Counterpart::User { .. } => Some(me.as_str()),
                    Counterpart::Group { .. } => None,
                };
                let to = Beside {
                    to,
                    ..Beside::default()
                };
                encode(&last, &to)
            });
            let standing = standings
                .get(&row.conversation)
                .copied()
                .unwrap_or_default();
            list.push(ConversationSummary {
                mentions: standing.mentions.min(limits::MAX_UNREAD),
                peer_read_seq: standing.peer_read_seq,
                muted_until: standing.quiet_until,
                conversation: row.conversation,
                with,
                unread: row.unread.min(limits::MAX_UNREAD),
                last_seq: row.last_seq,
                read_seq: row.read_seq,
                last_time: row.last_time,
                last_message,
            });
        }
        Ok(list)
    }

    /// Usernames and nicknames of these and of the user himself.
    async fn users(
        &self,
        peers: &[UserId],
        user: UserId,
    ) -> Result<HashMap<UserId, (String, String)>> {
        let mut ids = peers.to_vec();
        if !ids.is_empty() && !ids.contains(&user) {
            ids.push(user);
        }
        let found = self.im.store.users(&ids).await?;
        Ok(found
            .into_iter()
            .map(|user| (user.id, (user.username, user.nickname)))
            .collect())
    }
}
