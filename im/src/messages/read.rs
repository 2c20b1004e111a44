//! Read cursors.

use lingxi_domain::frame::server;
use lingxi_domain::{ConversationKey, ErrorCode, Seq};
use lingxi_proto::bus::PushFrame;
use lingxi_store::{ReadMark, ReadMove};

use super::Messages;
use crate::{Actor, Result, log};

/// Somebody read a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Who.
    pub actor: Actor,
    /// Which conversation.
    pub key: ConversationKey,
    /// Up to where; `None` for all of it.
    pub upto: Option<Seq>,
}

impl Messages<'_> {
    /// Moves the actor's read cursor forward, at most to the last entry that he may see; answers where it stands. When it
    /// moved, the actor's own sockets hear of it, and in a private conversation the other side.
    ///
    /// # Errors
    /// `group_not_found`; `not_member` for those who never were in the group; `forbidden` for a private conversation of
    /// others.
    pub async fn mark_read(&self, reading: Reading) -> Result<Seq> {
        let mut answers = self.mark_many_read(&[reading]).await?;
        answers
            .pop()
            .unwrap_or_else(|| Err(ErrorCode::Internal.into()))
    }

    /// [`Self::mark_read`] for many at once, in one transaction; answers each, in their order.
    ///
    /// # Errors
    /// When the store fails: nobody's cursor moved.
    pub async fn mark_many_read(&self, readings: &[Reading]) -> Result<Vec<Result<Seq>>> {
        let keys: Vec<String> = readings.iter().map(|r| r.key.to_string()).collect();
        let marks: Vec<ReadMark<'_>> = readings
            .iter()
            .zip(&keys)
            .map(|(reading, conversation)| ReadMark {
                conversation,
                user_id: reading.actor.user_id,
                upto: reading.upto.unwrap_or(Seq::MAX),
            })
            .collect();
        let moves = self.im.store.mark_read(&marks).await?;
        let mut answers = Vec::with_capacity(readings.len());
        for ((reading, conversation), moved) in readings.iter().zip(&keys).zip(moves) {
            answers.push(match moved {
                Some(moved) => {
                    self.tell(reading, conversation, moved).await;
                    Ok(moved.now)
                }
                None => self.unread(reading).await,
            });
        }
        Ok(answers)
    }

    async fn tell(&self, reading: &Reading, conversation: &str, moved: ReadMove) {
        if moved.now == moved.before {
            return;
        }
        let actor = &reading.actor;
        let frame = PushFrame {
            json: server::read(conversation, &actor.username, moved.now).into(),
            conversation: String::new(),
            seq: 0,
        };
        let peer = reading.key.peer_of(actor.user_id);
        let other = peer.filter(|&peer| peer != actor.user_id);
        let receivers: Vec<_> = other.into_iter().chain([actor.user_id]).collect();
        log::publish(self.im, frame, &receivers).await;
    }

    /// Of a conversation that the actor never was in.
    async fn unread(&self, reading: &Reading) -> Result<Seq> {
        self.check(reading.actor.user_id, reading.key).await?;
        match reading.key {
            ConversationKey::Group(_) => Err(ErrorCode::NotMember.into()),
            // It has not begun: nothing to read.
            ConversationKey::Direct(..) => Ok(0),
        }
    }
}
