//! Writing an event to a conversation's log under its row lock, and pushing it after the commit.

use bytes::Bytes;
use lingxi_bus::Subject;
use lingxi_domain::{ConversationKey, Seq, UserId, message_id, now_ms};
use lingxi_proto::bus::{Push, PushFrame};
use lingxi_store::{ConversationHead, Entry, EntryKind, Error, NewEntry, Tx};
use serde::Serialize;

use crate::frames::{Beside, framed};
use crate::{Actor, Inner};

/// An event to be written.
pub(crate) struct Event<'a> {
    pub(crate) kind: EntryKind,
    /// The recalled message's id, or the user whose membership changes.
    pub(crate) target: Option<i64>,
    pub(crate) target_seq: Option<Seq>,
    /// The name of the user whose membership changes.
    pub(crate) target_name: Option<&'a str>,
    /// What it says beside that: a JSON object.
    pub(crate) detail: Option<&'a str>,
}

/// What an entry is to say beside its text, as the store keeps it.
pub(crate) fn detail<T: Serialize>(said: &T) -> Result<String, Error> {
    serde_json::to_string(said).map_err(|error| {
        let cause = format!("an entry's detail cannot be written: {error}");
        Error::Corrupt(cause)
    })
}

/// Ids tried for one entry. There are 32 a millisecond and partition, so even the second is seldom needed.
const ATTEMPTS: usize = 256;

/// Appends an event behind `head`, which this transaction has locked or made, and moves it. The caller writes the head.
pub(crate) async fn append(
    tx: &mut Tx,
    head: &mut ConversationHead,
    key: ConversationKey,
    partitions: u16,
    actor: &Actor,
    event: Event<'_>,
) -> Result<Entry, Error> {
    let partition = key.partition(partitions);
    let (seq, created_at) = (head.last_seq + 1, now_ms());
    let mut attempt = 0;
    let entry = loop {
        let new = NewEntry {
            id: message_id::unowned(partition, rand::random()),
            conversation: &head.conversation,
            seq,
            kind: event.kind,
            sender_id: actor.user_id,
            target: event.target,
            target_seq: event.target_seq,
            detail: event.detail,
            created_at,
            ..NewEntry::default()
        };
        attempt += 1;
        // A violated constraint takes back its statement only, not the transaction, on SQLite as on MySQL.
        match tx.insert_entries(std::slice::from_ref(&new)).await {
            Err(Error::Constraint("entries_id")) if attempt < ATTEMPTS => {}
            Err(error) => return Err(error),
            Ok(()) => break new.stored(&actor.username, event.target_name),
        }
    };
    head.last_seq = seq;
    Ok(entry)
}

/// Pushes a committed event, made into a frame. What is lost is found by the gateways' comparison with the store and by every resume.
pub(crate) async fn push(im: &Inner, frame: PushFrame, users: &[UserId]) {
    let payload = Push::of(vec![frame]);
    publish(im, users.iter().map(|&user| (user, payload.clone()))).await;
}

/// Pushes a committed event to the members who see it, as they are now, and to those who have just gone. No lock is held.
pub(crate) async fn push_to_members(im: &Inner, entry: &Entry, gone: &[UserId]) {
    let frame = framed(entry, &Beside::default());
    push_frame_to_members(im, entry, (frame, gone)).await;
}

/// [`push_to_members`] of a frame that shows more than the entry.
pub(crate) async fn push_frame_to_members(
    im: &Inner,
    entry: &Entry,
    (frame, gone): (PushFrame, &[UserId]),
) {
    let receivers = im.store.receivers_of(&entry.conversation, entry.seq).await;
    match receivers {
        Ok(mut receivers) => {
            receivers.extend(gone);
            push(im, frame, &receivers).await;
        }
        Err(error) => {
            tracing::warn!(%error, "a push was not made; its receivers find it on the next sync");
        }
    }
}

/// Publishes to each user's sockets what is his, until the bus takes no more.
pub(crate) async fn publish(im: &Inner, pushes: impl Iterator<Item = (UserId, Bytes)>) {
    for (user, payload) in pushes {
        if let Err(error) = im.bus.publish(&Subject::User(user), payload).await {
            tracing::warn!(%error, "a push was lost; its receivers find it on the next sync");
            return;
        }
    }
}
