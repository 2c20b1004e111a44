//! Messages that are a repeat: what is known of the first one.

use std::collections::HashMap;

use lingxi_domain::{FileId, Seq, said_hash};
use lingxi_store::{RepeatKey, Result, Tx};

use crate::incoming::Incoming;

/// What is known of a message that was written before.
#[derive(Clone, Copy)]
pub(super) struct First<'b> {
    pub(super) id: i64,
    pub(super) seq: Seq,
    pub(super) content: Content<'b>,
}

/// What is known of a text, and of the file with it.
#[derive(Clone, Copy)]
pub(super) enum Content<'b> {
    /// They are in this batch.
    Said(&'b str, Option<FileId>),
    /// Their hash.
    Hash(i64),
    /// It was taken back or edited, and no hash was kept.
    Forgotten,
}

impl Content<'_> {
    /// Returns false if it is surely another one.
    pub(super) fn may_be(self, (text, file): (&str, Option<FileId>)) -> bool {
        match self {
            Self::Said(first, with) => (first, with) == (text, file),
            Self::Hash(first) => first == said_hash(text, file),
            Self::Forgotten => true,
        }
    }
}

/// Which of these messages were written before.
pub(super) async fn first_ones<'b>(
    tx: &mut Tx,
    batch: &'b [Incoming],
) -> Result<HashMap<RepeatKey<'b>, First<'b>>> {
    let identities: Vec<RepeatKey<'_>> = batch.iter().map(Incoming::identity).collect();
    let repeats = tx.find_repeats(&identities).await?;
    let mut by_identity: HashMap<RepeatKey<'_>, First<'b>> = repeats
        .iter()
        .map(|r| {
            let first = First {
                id: r.id,
                seq: r.seq,
                content: r.content.map_or(Content::Forgotten, Content::Hash),
            };
            (
                (r.conversation.as_str(), r.sender_id, r.msg_id.as_str()),
                first,
            )
        })
        .collect();
    Ok(identities
        .into_iter()
        .filter_map(|identity| Some((identity, by_identity.remove(&identity)?)))
        .collect())
}
