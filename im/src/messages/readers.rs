//! Who has read a message, and who does not want to hear of a conversation.

use lingxi_domain::{ConversationKey, ErrorCode, UserId, limits};

use super::Messages;
use crate::{Error, GroupMember, Result};

impl Messages<'_> {
    /// Who of a group has read a message, by when they joined, its sender left out.
    ///
    /// # Errors
    /// `message_not_found` for what the user cannot see, `not_member` for who left; `invalid_request` for a private
    /// conversation, whose list says it, and for groups of more than [`limits::MAX_READERS`] members.
    pub async fn readers(&self, user: UserId, id: i64) -> Result<Vec<GroupMember>> {
        let store = &self.im.store;
        let message = self.visible(user, id).await?;
        let member = store.member(&message.conversation, user).await?;
        if !member.is_some_and(|member| member.is_active()) {
            return Err(ErrorCode::NotMember.into());
        }
        let key = message.conversation.parse::<ConversationKey>();
        if key.ok().and_then(ConversationKey::group).is_none() {
            let message = "id: of a private conversation, its peer_read_seq in the list says it.";
            return Err(Error::invalid(message));
        }
        let few = store.few_members(&message.conversation, limits::MAX_READERS);
        if few.await?.is_none() {
            let message = "id: who has read is known in groups of up to 200 members.";
            return Err(Error::invalid(message));
        }
        let place = (message.conversation.as_str(), message.seq);
        let readers = store.readers_of(place, message.sender_id).await?;
        Ok(readers.into_iter().map(GroupMember::from).collect())
    }

    /// The user wants no notifications of a conversation until a time, milliseconds since the Unix epoch; 0 lifts it. For
    /// clients to heed: what is said there is pushed as before.
    ///
    /// # Errors
    /// `group_not_found`; `not_member` for those who are not in the group; `forbidden` for a private conversation of others;
    /// `message_not_found` for one that has not begun; `invalid_request` for a time that no clock will show.
    pub async fn quiet(&self, user: UserId, key: ConversationKey, until: i64) -> Result<()> {
        if until >= limits::MAX_INTEGER {
            let message = "until: give milliseconds since the Unix epoch, or 0 to lift it.";
            return Err(Error::invalid(message));
        }
        self.check(user, key).await?;
        let found = self
            .im
            .store
            .set_quiet_until(&key.to_string(), user, until)
            .await?;
        match (found, key) {
            (true, _) => Ok(()),
            (false, ConversationKey::Group(_)) => Err(ErrorCode::NotMember.into()),
            (false, ConversationKey::Direct(..)) => {
                let message = "conversation: nothing was said there yet.";
                Err(Error::new(ErrorCode::MessageNotFound, message))
            }
        }
    }
}
