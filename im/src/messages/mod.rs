//! What was said: reading it back, how far it was read, and what is done about it: taking it back, editing it, reacting to
//! it, keeping it in sight.

mod edit;
mod forward;
mod history;
mod locked;
mod pins;
mod react;
mod read;
mod readers;
mod recall;
mod report;
mod send;

use std::collections::HashSet;

use bytes::Bytes;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, UserId};

pub use forward::Forwarded;
pub(crate) use history::fitting;
pub use history::{History, HistoryQuery};
pub use read::Reading;
pub use recall::Recalled;
pub use send::{Outgoing, Taken};

use crate::groups::pay_about_message;
use crate::{Actor, Frames, Inner, Result};

/// Messages. Made by [`crate::Im::messages`].
#[derive(Clone, Copy)]
pub struct Messages<'a> {
    pub(crate) im: &'a Inner,
}

/// How a user names one of his conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// That with a user, by name in any case.
    User(String),
    /// That of a group.
    Group(GroupId),
    /// By its key.
    Key(ConversationKey),
}

impl Messages<'_> {
    /// The key of the conversation that `user` names. It need not have begun, nor he be a member of the group.
    ///
    /// # Errors
    /// `user_not_found`, `group_not_found`; `forbidden` for a private conversation of others.
    pub async fn conversation(&self, user: UserId, target: &Target) -> Result<ConversationKey> {
        let key = match target {
            Target::User(name) => {
                let (peer, _) = self
                    .im
                    .names
                    .resolve(name)
                    .await?
                    .ok_or(ErrorCode::UserNotFound)?;
                ConversationKey::direct(user, peer)
            }
            Target::Group(id) => ConversationKey::Group(*id),
            Target::Key(key) => *key,
        };
        self.check(user, key).await?;
        Ok(key)
    }

    /// Pays for what the actor is about to do about a message; answers the conversation in which it stands, if it is there.
    async fn paid(&self, actor: &Actor, id: i64) -> Result<Option<String>> {
        let found = self.im.store.entry(id).await?;
        let conversation = found.map(|entry| entry.conversation);
        pay_about_message(self.im, actor.user_id, conversation.as_deref()).await?;
        Ok(conversation)
    }

    /// A message as history shows it to this user, who may see it.
    async fn shown(&self, user: UserId, id: i64) -> Result<Bytes> {
        let found = self.im.store.entry(id).await?;
        let frames = Frames { im: self.im };
        let mut shown = frames.shown_to(user, found.as_slice()).await?;
        let shown = shown.pop().ok_or(ErrorCode::MessageNotFound)?;
        Ok(shown.json)
    }

    async fn check(&self, user: UserId, key: ConversationKey) -> Result<()> {
        let groups = self
            .im
            .store
            .existing_groups(group_of(key).as_slice())
            .await?;
        let refused = match admissible(user, key, &groups) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        // Who was in a group that was dismissed keeps what was theirs.
        let kept = match key {
            ConversationKey::Group(_) => self.im.store.member(&key.to_string(), user).await?,
            ConversationKey::Direct(..) => None,
        };
        kept.map(drop).ok_or(refused)
    }
}

fn group_of(key: ConversationKey) -> Option<GroupId> {
    match key {
        ConversationKey::Group(id) => Some(id),
        ConversationKey::Direct(..) => None,
    }
}

/// Whether `user` may name this conversation, given the groups that exist.
fn admissible(user: UserId, key: ConversationKey, groups: &HashSet<GroupId>) -> Result<()> {
    match key {
        ConversationKey::Group(id) if !groups.contains(&id) => Err(ErrorCode::GroupNotFound.into()),
        ConversationKey::Direct(..) if key.peer_of(user).is_none() => Err(crate::Error::new(
            ErrorCode::Forbidden,
            "That conversation is not yours; name one of your own.",
        )),
        _ => Ok(()),
    }
}
