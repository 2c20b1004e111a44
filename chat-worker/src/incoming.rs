//! A message on its way through the worker, and what becomes of it.

use std::sync::Arc;

use lingxi_domain::detail::MessageDetail;
use lingxi_domain::{ConversationKey, ErrorCode, FileId, Seq};
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
    /// What makes it the same message.
    pub(crate) fn identity(&self) -> RepeatKey<'_> {
        let m = &self.inbound;
        (&m.conversation, m.sender_id, &m.msg_id)
    }

    /// What it says beside its text. Written by this system: what it cannot read says nothing.
    fn detail(&self) -> Option<MessageDetail> {
        let detail = Some(self.inbound.detail.as_str()).filter(|detail| !detail.is_empty());
        detail.and_then(MessageDetail::read)
    }

    /// The file that it brings.
    pub(crate) fn file(&self) -> Option<FileId> {
        Some(self.detail()?.file?.id)
    }

    /// Whom it mentions, for the place that it got.
    pub(crate) fn mentions(&self, seq: Seq) -> Vec<Mention<'_>> {
        let Some(detail) = self.detail() else {
            return Vec::new();
        };
        let mention = |user_id| Mention {
            conversation: &self.inbound.conversation,
            user_id,
            seq,
            sender_id: self.inbound.sender_id,
        };
        detail.counted().into_iter().map(mention).collect()
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
            file: self.file(),
            created_at: new.at,
            ..NewEntry::default()
        }
    }
}
