//! Read cursors.

use std::collections::{HashMap, HashSet};

use lingxi_domain::frame::server;
use lingxi_domain::{ConversationKey, ErrorCode, GroupId, Seq, UserId};
use lingxi_proto::bus::{Push, PushFrame};
use lingxi_store::{ReadMark, ReadMove};

use super::{Messages, admissible, group_of};
use crate::{Actor, Error, Result, log};

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
    /// When the store fails; to do it again is harmless.
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

        let told = receipts(readings, &keys, &moves).into_iter();
        let told = told.map(|(user, frames)| (user, Push::of(frames)));
        log::publish(self.im, told).await;

        let strangers = readings.iter().zip(&moves).filter(|(_, m)| m.is_none());
        let groups: Vec<GroupId> = strangers.filter_map(|(r, _)| group_of(r.key)).collect();
        let groups = self.im.store.existing_groups(&groups).await;
        let groups = groups.map_err(Error::from);
        let answer = |(reading, moved): (&Reading, Option<ReadMove>)| match (moved, &groups) {
            (Some(moved), _) => Ok(moved.now),
            (None, Ok(groups)) => unread(reading, groups),
            (None, Err(error)) => Err(error.clone()),
        };
        Ok(readings.iter().zip(moves).map(answer).collect())
    }
}

/// Who hears of the moves, and what.
fn receipts(
    readings: &[Reading],
    keys: &[String],
    moves: &[Option<ReadMove>],
) -> HashMap<UserId, Vec<PushFrame>> {
    let mut receipts: HashMap<UserId, Vec<PushFrame>> = HashMap::new();
    for ((reading, conversation), moved) in readings.iter().zip(keys).zip(moves) {
        let Some(moved) = moved.filter(|moved| moved.now > moved.before) else {
            continue;
        };
        let actor = &reading.actor;
        let frame = PushFrame::plain(server::read(conversation, &actor.username, moved.now));
        let peer = reading.key.peer_of(actor.user_id);
        if let Some(peer) = peer.filter(|&peer| peer != actor.user_id) {
            receipts.entry(peer).or_default().push(frame.clone());
        }
        receipts.entry(actor.user_id).or_default().push(frame);
    }
    receipts
}

/// Of a conversation that the actor never was in.
fn unread(reading: &Reading, groups: &HashSet<GroupId>) -> Result<Seq> {
    admissible(reading.actor.user_id, reading.key, groups)?;
    match reading.key {
        ConversationKey::Group(_) => Err(ErrorCode::NotMember.into()),
        // It has not begun: nothing to read.
        ConversationKey::Direct(..) => Ok(0),
    }
}
