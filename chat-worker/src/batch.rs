//! One transaction: what waited is judged, numbered and written, all or nothing.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::{ConversationKey, ErrorCode, Seq, UserId, message_id, now_ms};
use lingxi_proto::bus::Inbound;
use lingxi_store::{ConversationHead, EntryKind, LeaseProgress, NewEntry, Result, Tx};

use crate::members::{MemberCache, Members};

/// A message that a gateway read, as it stands in the log.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) partition: u16,
    pub(crate) position: i64,
    pub(crate) key: ConversationKey,
    pub(crate) message: Inbound,
    /// From when it was read until it was pushed, in the trace of its sender's request.
    pub(crate) span: tracing::Span,
}

impl Incoming {
    /// The entry that it becomes.
    pub(crate) fn entry(&self, id: i64, seq: Seq, created_at: i64) -> NewEntry<'_> {
        NewEntry {
            id,
            conversation: &self.message.conversation,
            seq,
            kind: EntryKind::Message,
            sender_id: self.message.sender_id,
            msg_id: Some(&self.message.msg_id),
            content: &self.message.content,
            created_at,
            ..NewEntry::default()
        }
    }
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Written now. In a group, with who is to get it.
    Committed {
        id: i64,
        seq: Seq,
        at: i64,
        members: Option<Arc<Members>>,
    },
    /// Written before.
    Repeated { id: i64, seq: Seq },
    /// Not written.
    Refused(ErrorCode),
}

/// What makes a message the same message.
type Identity<'a> = (&'a str, UserId, &'a str);

fn identity(incoming: &Incoming) -> Identity<'_> {
    let m = &incoming.message;
    (&m.conversation, m.sender_id, &m.msg_id)
}

/// The transaction of one batch, written but not yet committed.
pub(crate) struct Written {
    pub(crate) tx: Tx,
    pub(crate) outcomes: Vec<Outcome>,
}

/// Writes `batch` in `tx`, which the caller commits. `progress` is the batch's leases as they will be behind
/// it, except for `last_id`, which is raised here.
///
/// # Errors
/// [`lingxi_store::Error::Fenced`] when a lease has gone; nothing is written then.
pub(crate) async fn write(
    mut tx: Tx,
    owner: &str,
    members: &mut MemberCache,
    batch: &[Incoming],
    progress: &mut [LeaseProgress],
) -> Result<Written> {
    // Ids are given out before it is known who needs one, since the fence comes first and records the last of them.
    let ids = hand_out_ids(batch, progress);
    fence(&mut tx, owner, progress).await?;

    let mut keys: Vec<&str> = batch
        .iter()
        .map(|i| i.message.conversation.as_str())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let locked = tx.lock_conversations(&keys).await?;
    let groups: Vec<&ConversationHead> = locked
        .iter()
        .filter(|h| h.conversation.starts_with("g:"))
        .collect();
    let members = members.load(&mut tx, &groups).await?;
    let mut heads: HashMap<String, ConversationHead> = locked
        .iter()
        .map(|h| (h.conversation.clone(), h.clone()))
        .collect();

    let identities: Vec<Identity<'_>> = batch.iter().map(identity).collect();
    let repeats = tx.find_repeats(&identities).await?;
    let mut known: HashMap<Identity<'_>, (i64, Seq)> = repeats
        .iter()
        .map(|r| {
            (
                (r.conversation.as_str(), r.sender_id, r.msg_id.as_str()),
                (r.id, r.seq),
            )
        })
        .collect();

    #[cfg(feature = "sabotage")]
    let forgotten: Vec<Identity<'_>> = if crate::sabotage::planted("no-dedup") {
        known.drain().map(|(identity, _)| identity).collect()
    } else {
        Vec::new()
    };

    let now = now_ms();
    let mut outcomes = Vec::with_capacity(batch.len());
    let mut entries = Vec::with_capacity(batch.len());
    let mut new_members: Vec<(&str, UserId)> = Vec::new();
    for (incoming, id) in batch.iter().zip(ids) {
        let message = &incoming.message;
        let conversation = message.conversation.as_str();
        if let Some(&(id, seq)) = known.get(&identity(incoming)) {
            outcomes.push(Outcome::Repeated { id, seq });
            continue;
        }
        let of_group = members.get(conversation);
        if let Err(code) = permitted(incoming.key, message.sender_id, of_group, now) {
            outcomes.push(Outcome::Refused(code));
            continue;
        }
        let head = heads.entry(conversation.to_owned()).or_insert_with(|| {
            new_members.push((conversation, message.sender_id));
            if message.recipient_id != message.sender_id {
                new_members.push((conversation, message.recipient_id));
            }
            ConversationHead {
                conversation: conversation.to_owned(),
                version: 1,
                last_seq: 0,
                message_seq: 0,
                last_time: now,
            }
        });
        head.last_seq += 1;
        head.message_seq = head.last_seq;
        head.last_time = now;
        let seq = head.last_seq;
        known.insert(identity(incoming), (id, seq));
        let entry = incoming.entry(id, seq, now);
        // Without its msg_id, or the database would refuse it.
        #[cfg(feature = "sabotage")]
        let entry = NewEntry {
            msg_id: entry
                .msg_id
                .filter(|_| !forgotten.contains(&identity(incoming))),
            ..entry
        };
        entries.push(entry);
        outcomes.push(Outcome::Committed {
            id,
            seq,
            at: now,
            members: of_group.cloned(),
        });
    }
    if !entries.is_empty() {
        let changed: Vec<ConversationHead> = changed_heads(&entries, heads);
        tx.put_heads(&changed).await?;
        tx.add_direct_members(&new_members, now).await?;
        tx.insert_entries(&entries).await?;
    }
    Ok(Written { tx, outcomes })
}

/// The first statement of every transaction: [`lingxi_store::Error::Fenced`] when a lease has gone.
pub(crate) async fn fence(tx: &mut Tx, owner: &str, progress: &[LeaseProgress]) -> Result<()> {
    let fenced = tx.fence(owner, progress).await;
    #[cfg(feature = "sabotage")]
    if crate::sabotage::planted("no-epoch-check")
        && matches!(fenced, Err(lingxi_store::Error::Fenced))
    {
        return Ok(());
    }
    fenced
}

fn changed_heads(
    entries: &[NewEntry<'_>],
    mut heads: HashMap<String, ConversationHead>,
) -> Vec<ConversationHead> {
    let mut changed: Vec<ConversationHead> = entries
        .iter()
        .filter_map(|e| heads.remove(e.conversation))
        .collect();
    changed.sort_unstable_by(|a, b| a.conversation.cmp(&b.conversation));
    changed
}

fn hand_out_ids(batch: &[Incoming], progress: &mut [LeaseProgress]) -> Vec<i64> {
    let next = |incoming: &Incoming| {
        let lease = progress
            .iter_mut()
            .find(|p| p.partition == incoming.partition);
        // Every message of a batch is of one of its partitions.
        lease.map_or(0, |lease| {
            lease.last_id = message_id::next_owned(lease.last_id, incoming.partition);
            lease.last_id
        })
    };
    batch.iter().map(next).collect()
}

fn permitted(
    key: ConversationKey,
    sender: UserId,
    members: Option<&Arc<Members>>,
    now: i64,
) -> std::result::Result<(), ErrorCode> {
    match key {
        ConversationKey::Direct(..) => key.peer_of(sender).map(|_| ()).ok_or(ErrorCode::Forbidden),
        ConversationKey::Group(_) => {
            let members = members.ok_or(ErrorCode::GroupNotFound)?;
            let muted_until = members.muted_until(sender).ok_or(ErrorCode::NotMember)?;
            if muted_until > now {
                Err(ErrorCode::Muted)
            } else {
                Ok(())
            }
        }
    }
}
