//! Read cursors.

use lingxi_domain::frame::server;
use lingxi_domain::{ConversationKey, ErrorCode, Seq};
use lingxi_proto::bus::PushFrame;

use super::Messages;
use crate::{Actor, Result, log};

impl Messages<'_> {
    /// Moves the actor's read cursor forward to `seq` (the head when there is none), at most to the last entry that he
    /// may see; answers where it stands. When it moved, the actor's own sockets hear of it, and in a private
    /// conversation the other side.
    ///
    /// # Errors
    /// `group_not_found`; `not_member` for those who never were in the group; `forbidden` for a private conversation of
    /// others.
    pub async fn mark_read(
        &self,
        actor: &Actor,
        key: &ConversationKey,
        seq: Option<Seq>,
    ) -> Result<Seq> {
        let conversation = key.to_string();
        let Some(member) = self.im.store.member(&conversation, actor.user_id).await? else {
            self.check(actor.user_id, *key).await?;
            return match key {
                ConversationKey::Group(_) => Err(ErrorCode::NotMember.into()),
                // It has not begun: nothing to read.
                ConversationKey::Direct(..) => Ok(0),
            };
        };
        let seq = seq.unwrap_or(Seq::MAX);
        if seq <= member.read_seq {
            return Ok(member.read_seq);
        }
        let moved = self
            .im
            .store
            .mark_read(&conversation, actor.user_id, seq)
            .await?;
        let moved = moved.ok_or(ErrorCode::NotMember)?;
        if moved.now > moved.before {
            let frame = PushFrame {
                json: server::read(&conversation, &actor.username, moved.now).into(),
                conversation: String::new(),
                seq: 0,
            };
            let other = key
                .peer_of(actor.user_id)
                .filter(|&peer| peer != actor.user_id);
            let receivers: Vec<_> = other.into_iter().chain([actor.user_id]).collect();
            log::publish(self.im, frame, &receivers).await;
        }
        Ok(moved.now)
    }
}
