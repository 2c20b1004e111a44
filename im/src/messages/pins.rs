//! Messages that a group keeps in sight.

use bytes::Bytes;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, UserId, limits};
use lingxi_store::EntryKind;

use super::Messages;
use super::history::{History, fitting};
use super::locked::LockedMessage;
use crate::actor::begin;
use crate::error::Failed;
use crate::{Actor, Error, Frames, Page, Result, log};

impl Messages<'_> {
    /// Keeps a message of a group in sight, or no longer does; for its owner and administrators. What is so already is no
    /// news.
    ///
    /// # Errors
    /// `message_not_found` for what the actor cannot see or what was recalled, `not_member` for who left, `forbidden`,
    /// `too_many_pins`; `invalid_request` in a private conversation.
    pub async fn pin(&self, actor: &Actor, id: i64, on: bool) -> Result<()> {
        let conversation = self.paid(actor, id).await?;
        let once = || self.pin_once(actor, (id, conversation.as_deref()), on);
        Ok(self.im.store.retried(once).await?)
    }

    async fn pin_once(
        &self,
        actor: &Actor,
        which: (i64, Option<&str>),
        on: bool,
    ) -> Result<(), Failed> {
        let tx = begin!(actor, &self.im.store);
        let mut locked = LockedMessage::new(self.im, tx, actor, which).await?;
        if locked.key().group().is_none() {
            let message = "id: only messages of groups are pinned.";
            return Err(Error::invalid(message).into());
        }
        if !locked.member.role.may_manage() {
            let message =
                "Only the group's owner and its administrators pin messages; ask one of them.";
            return Err(Error::new(ErrorCode::Forbidden, message).into());
        }
        locked.may_speak(actor)?;
        let (id, seq) = (locked.message.id, locked.next_seq());
        let conversation = locked.conversation().to_owned();
        let tx = &mut locked.tx;
        let (pinned, pins) = tx.pinned(&conversation, id).await?;
        if pinned == on {
            return locked.commit(actor, &()).await;
        }
        let kind = if on {
            if pins >= limits::MAX_PINS {
                return Err(ErrorCode::TooManyPins.into());
            }
            tx.pin(&conversation, id, seq).await?;
            EntryKind::Pinned
        } else {
            tx.unpin(&conversation, id).await?;
            EntryKind::Unpinned
        };
        let entry = locked.append(actor, kind, None).await?;
        locked.commit(actor, &()).await?;
        log::push_to_members(self.im, &entry, &[]).await;
        Ok(())
    }

    /// What a group keeps in sight, for its members: the newest pin first, each message as history shows it. Those from
    /// before the user's joining are left out; a page goes on behind the id of its last one.
    ///
    /// # Errors
    /// `group_not_found`, `not_member`.
    pub async fn pins_page(
        &self,
        user: UserId,
        group: GroupId,
        page: &Page<i64>,
    ) -> Result<History> {
        let key = ConversationKey::Group(group);
        self.check(user, key).await?;
        let key = key.to_string();
        let member = self.im.store.member(&key, user).await?;
        let member = member.filter(|member| member.is_active());
        let joined = member.ok_or(ErrorCode::NotMember)?.joined_seq;
        let rows = page.rows();
        let found = self
            .im
            .store
            .pins_page((&key, joined), page.after, rows + 1);
        let found = found.await?.ok_or_else(|| {
            Error::invalid("after: that message is pinned no more; begin the list again.")
        })?;
        let frames = Frames { im: self.im }.shown_to(user, &found).await?;
        let messages = frames.into_iter().map(|frame| frame.json);
        let rows = usize::try_from(rows).unwrap_or(1);
        let mut messages: Vec<Bytes> = messages.take(rows).collect();
        messages.truncate(fitting(messages.iter()));
        Ok(History {
            has_more: messages.len() < found.len(),
            messages,
        })
    }
}
