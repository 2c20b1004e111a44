//! One transaction: what waited is judged, numbered and written, all or nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lingxi_domain::{ConversationKey, ErrorCode, UserId, message_id, now_ms};
use lingxi_proto::bus::Inbound;
use lingxi_store::{ConversationHead, LeaseProgress, Mention, NewEntry, RepeatKey, Result, Tx};

use super::first::{Content, First, first_ones};
use super::members::{Loaded, MemberCache};
use crate::incoming::{Incoming, New, Outcome};
use crate::members::Members;

/// A batch that was not yet committed.
pub(super) enum Judged {
    /// Written in this transaction, with one outcome for each message.
    Written(Tx, Vec<Outcome>),
    /// Nothing was: the members of these groups are to be read first.
    MembersChanged(Vec<String>),
}

/// Writes `batch` in `tx`, which the caller commits. `progress` is the batch's leases as they will be after
/// it, except for `last_id`, which is raised here. With `read_locked`, members are read under the locks if they must.
///
/// # Errors
/// [`lingxi_store::Error::Fenced`] when a lease has gone; nothing is written then.
pub(super) async fn write(
    mut tx: Tx,
    owner: &str,
    members: &mut MemberCache,
    read_locked: bool,
    batch: &[Incoming],
    progress: &mut [LeaseProgress],
) -> Result<Judged> {
    // Ids are given out before it is known who needs one, since the fence comes first and records the last of them.
    let ids = hand_out_ids(batch, progress);
    fence(&mut tx, owner, progress).await?;

    let mut keys: Vec<&str> = batch
        .iter()
        .map(|i| i.inbound.conversation.as_str())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let mut locked = tx.lock_conversations(&keys).await?;
    if locked.len() < keys.len() {
        // Of one that has not begun there is no row to be locked: a block could come in between.
        let begun: HashSet<&str> = locked
            .iter()
            .map(|head| head.conversation.as_str())
            .collect();
        let mut new = keys.clone();
        new.retain(|key| key.starts_with("d:") && !begun.contains(key));
        tx.make_heads(&new, now_ms()).await?;
        locked.extend(tx.lock_conversations(&new).await?);
    }
    let groups: Vec<&ConversationHead> = locked
        .iter()
        .filter(|h| h.conversation.starts_with("g:"))
        .collect();
    let members = match members.current(&mut tx, &groups, read_locked).await? {
        Loaded::Current(members) => members,
        Loaded::Changed(groups) => return Ok(Judged::MembersChanged(groups)),
    };
    let heads: HashMap<String, ConversationHead> = locked
        .into_iter()
        .map(|h| (h.conversation.clone(), h))
        .collect();
    let known = first_ones(&mut tx, batch).await?;
    let now = now_ms();
    let mut judge = Judge::new(heads, known, now);
    for (incoming, id) in batch.iter().zip(ids) {
        let of_group = members.get(&incoming.inbound.conversation);
        judge.judge(incoming, id, of_group);
    }
    let Judge {
        heads,
        entries,
        mentions,
        new_members,
        outcomes,
        ..
    } = judge;
    if !entries.is_empty() {
        let changed: Vec<ConversationHead> = changed_heads(&entries, heads);
        tx.put_heads(&changed).await?;
        tx.add_direct_members(&new_members, now).await?;
        tx.insert_entries(&entries).await?;
        tx.insert_mentions(&mentions).await?;
    }
    Ok(Judged::Written(tx, outcomes))
}

/// The first statement of every transaction: [`lingxi_store::Error::Fenced`] when a lease has gone.
pub(super) async fn fence(tx: &mut Tx, owner: &str, progress: &[LeaseProgress]) -> Result<()> {
    let fenced = tx.fence(owner, progress).await;
    #[cfg(feature = "sabotage")]
    if crate::sabotage::planted("no-epoch-check")
        && matches!(fenced, Err(lingxi_store::Error::Fenced))
    {
        return Ok(());
    }
    fenced
}

/// Judges the messages of a batch in their order.
struct Judge<'b> {
    now: i64,
    heads: HashMap<String, ConversationHead>,
    known: HashMap<RepeatKey<'b>, First<'b>>,
    entries: Vec<NewEntry<'b>>,
    mentions: Vec<Mention<'b>>,
    new_members: Vec<(&'b str, UserId)>,
    outcomes: Vec<Outcome>,
    #[cfg(feature = "sabotage")]
    forgotten: Vec<RepeatKey<'b>>,
}

impl<'b> Judge<'b> {
    fn new(
        heads: HashMap<String, ConversationHead>,
        known: HashMap<RepeatKey<'b>, First<'b>>,
        now: i64,
    ) -> Self {
        #[cfg(feature = "sabotage")]
        let (known, forgotten) = if crate::sabotage::planted("no-dedup") {
            (HashMap::new(), known.into_keys().collect())
        } else {
            (known, Vec::new())
        };
        Self {
            now,
            heads,
            known,
            entries: Vec::new(),
            mentions: Vec::new(),
            new_members: Vec::new(),
            outcomes: Vec::new(),
            #[cfg(feature = "sabotage")]
            forgotten,
        }
    }

    fn judge(&mut self, incoming: &'b Incoming, id: i64, members: Option<&Arc<Members>>) {
        let outcome = self.outcome(incoming, id, members);
        self.outcomes.push(outcome);
    }

    fn outcome(
        &mut self,
        incoming: &'b Incoming,
        id: i64,
        members: Option<&Arc<Members>>,
    ) -> Outcome {
        // Before permissions: a repeat gets the first answer, whatever changed since.
        if let Some(&First { id, seq, content }) = self.known.get(&incoming.identity()) {
            return if content.may_be((&incoming.inbound.content, incoming.file)) {
                Outcome::Repeated { id, seq }
            } else {
                Outcome::Refused(ErrorCode::IdempotencyConflict)
            };
        }
        // A private conversation has one in any case.
        let Some(head) = self.heads.get_mut(&incoming.inbound.conversation) else {
            return Outcome::Refused(ErrorCode::GroupNotFound);
        };
        if let Err(code) = permitted(incoming, head, members, self.now) {
            return Outcome::Refused(code);
        }
        if head.last_seq == 0 {
            self.new_members.extend(sides(&incoming.inbound));
        }
        head.last_seq += 1;
        head.message_seq = head.last_seq;
        head.last_time = self.now;
        let new = New {
            id,
            seq: head.last_seq,
            at: self.now,
            members: members.cloned(),
        };
        let entry = incoming.entry(&new);
        let first = First {
            id,
            seq: new.seq,
            content: Content::Said(entry.content, entry.file),
        };
        self.known.insert(incoming.identity(), first);
        // Without its msg_id, or the database would refuse it.
        #[cfg(feature = "sabotage")]
        let entry = NewEntry {
            msg_id: entry
                .msg_id
                .filter(|_| !self.forgotten.contains(&incoming.identity())),
            ..entry
        };
        self.entries.push(entry);
        self.mentions.extend(incoming.mentions(new.seq));
        Outcome::Committed(new)
    }
}

/// Whose private conversation begins with this message.
fn sides(message: &Inbound) -> impl Iterator<Item = (&str, UserId)> {
    let other = Some(message.recipient_id).filter(|&other| other != message.sender_id);
    let users = [message.sender_id].into_iter().chain(other);
    users.map(|user| (message.conversation.as_str(), user))
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
    incoming: &Incoming,
    head: &ConversationHead,
    members: Option<&Arc<Members>>,
    now: i64,
) -> std::result::Result<(), ErrorCode> {
    let sender = incoming.inbound.sender_id;
    match incoming.key {
        ConversationKey::Direct(..) => {
            let peer = incoming.key.peer_of(sender).ok_or(ErrorCode::Forbidden)?;
            if head.is_blocked_by(peer, sender) {
                Err(ErrorCode::Blocked)
            } else {
                Ok(())
            }
        }
        ConversationKey::Group(_) => {
            // A group that was dismissed has nobody.
            let members = members.filter(|members| !members.users.is_empty());
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
