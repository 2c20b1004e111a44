//! A message on its way through the worker, and what becomes of it.

use std::sync::Arc;

use lingxi_domain::detail::MessageDetail;
use lingxi_domain::{ConversationKey, ErrorCode, FileId, Seq, UserId};
use lingxi_proto::bus::Inbound;
use lingxi_store::{EntryKind, Mention, NewEntry, RepeatKey};

use crate::members::Members;

/// A message that a gateway read, as it stands in the log.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) partition: u16,
    pub(crate) position: i64,
    pub(crate) key: ConversationKey,
    pub(crate) inbound: Inbound,
    /// The file that it brings.
    pub(crate) file: Option<FileId>,
    /// Whom it mentions.
    mentioned: Vec<UserId>,
    /// From when it was read until it was pushed, in the trace of its sender's request.
    pub(crate) span: tracing::Span,
}

/// The place that a message got.
#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) id: i64,
    pub(crate) seq: Seq,
    /// When, milliseconds since the Unix epoch.
    pub(crate) at: i64,
    /// In a group, who is to get it.
    pub(crate) members: Option<Arc<Members>>,
}

/// What became of a message.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// Written now.
    Committed(New),
    /// Written before.
    Repeated { id: i64, seq: Seq },
    /// Not written.
    Refused(ErrorCode),
}

impl Incoming {
    /// One that was read at this place of its partition; `None` for what names no conversation.
    pub(crate) fn new(
        (partition, position): (u16, i64),
        inbound: Inbound,
        span: tracing::Span,
    ) -> Option<Self> {
        // Written by this system: what it cannot read says nothing.
        let detail = Some(inbound.detail.as_str()).filter(|detail| !detail.is_empty());
        let detail = detail.and_then(MessageDetail::read).unwrap_or_default();
        Some(Self {
            partition,
            position,
            key: inbound.conversation.parse().ok()?,
            inbound,
            mentioned: detail.counted(),
            file: detail.file.map(|file| file.id),
            span,
        })
    }

    /// What makes it the same message.
    pub(crate) fn identity(&self) -> RepeatKey<'_> {
        let m = &self.inbound;
        (&m.conversation, m.sender_id, &m.msg_id)
    }

    /// Whom it mentions, for the place that it got.
    pub(crate) fn mentions(&self, seq: Seq) -> Vec<Mention<'_>> {
        let mention = |&user_id| Mention {
            conversation: &self.inbound.conversation,
            user_id,
            seq,
            sender_id: self.inbound.sender_id,
        };
        self.mentioned.iter().map(mention).collect()
    }

    /// The entry that it becomes.
    pub(crate) fn entry(&self, new: &New) -> NewEntry<'_> {
        NewEntry {
            id: new.id,
            conversation: &self.inbound.conversation,
            seq: new.seq,
            kind: EntryKind::Message,
            sender_id: self.inbound.sender_id,
            msg_id: Some(&self.inbound.msg_id),
            content: &self.inbound.content,
            detail: Some(self.inbound.detail.as_str()).filter(|detail| !detail.is_empty()),
            file: self.file,
            created_at: new.at,
            ..NewEntry::default()
        }
    }
}
