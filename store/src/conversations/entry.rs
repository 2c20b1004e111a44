//! What an entry of a log is.

use lingxi_domain::{FileId, Seq, UserId};

use crate::error::{Error, Result};

/// What an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A message.
    #[default]
    Message,
    /// A message was recalled.
    Recalled,
    /// A message was edited.
    Edited,
    /// Somebody joined.
    Joined,
    /// Somebody was brought in.
    Invited,
    /// Somebody left.
    Left,
    /// Somebody was removed.
    Kicked,
    /// A member's role or mute changed.
    MemberUpdated,
    /// What a group says of itself, or its rules, changed.
    GroupUpdated,
    /// A group was dismissed; all its memberships end with this.
    Dismissed,
    /// Somebody reacted to a message, or no longer does.
    Reacted,
    /// A message is kept in sight.
    Pinned,
    /// A message is no longer kept in sight.
    Unpinned,
}

impl EntryKind {
    /// As the store keeps it.
    pub fn to_db(self) -> i64 {
        match self {
            Self::Message => 1,
            Self::Recalled => 2,
            Self::Edited => 3,
            Self::Joined => 4,
            Self::Invited => 5,
            Self::Left => 6,
            Self::Kicked => 7,
            Self::MemberUpdated => 8,
            Self::GroupUpdated => 9,
            Self::Dismissed => 10,
            Self::Reacted => 11,
            Self::Pinned => 12,
            Self::Unpinned => 13,
        }
    }

    /// As the store kept it.
    ///
    /// # Errors
    /// For what no build up to this one writes.
    pub fn from_db(value: i64) -> Result<Self> {
        Ok(match value {
            1 => Self::Message,
            2 => Self::Recalled,
            3 => Self::Edited,
            4 => Self::Joined,
            5 => Self::Invited,
            6 => Self::Left,
            7 => Self::Kicked,
            8 => Self::MemberUpdated,
            9 => Self::GroupUpdated,
            10 => Self::Dismissed,
            11 => Self::Reacted,
            12 => Self::Pinned,
            13 => Self::Unpinned,
            other => return Err(Error::Corrupt(format!("entries.kind = {other}"))),
        })
    }

    /// Whether the entry is about a message, whose id and place are its `target` and `target_seq`.
    pub fn is_about_message(self) -> bool {
        matches!(
            self,
            Self::Recalled | Self::Edited | Self::Reacted | Self::Pinned | Self::Unpinned
        )
    }

    /// The `event` of a system frame; `None` for a message.
    pub fn event_name(self) -> Option<&'static str> {
        Some(match self {
            Self::Message => return None,
            Self::Recalled => "recalled",
            Self::Edited => "edited",
            Self::Joined => "group_joined",
            Self::Invited => "group_invited",
            Self::Left => "group_left",
            Self::Kicked => "group_kicked",
            Self::MemberUpdated | Self::GroupUpdated => "group_updated",
            Self::Dismissed => "group_dismissed",
            Self::Reacted => "reacted",
            Self::Pinned => "pinned",
            Self::Unpinned => "unpinned",
        })
    }
}

/// An entry as it was committed, with its present state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// The conversation's key.
    pub conversation: String,
    /// Its place.
    pub seq: Seq,
    /// What it is.
    pub kind: EntryKind,
    /// Who wrote or did it.
    pub sender_id: UserId,
    /// That user's name.
    pub sender: String,
    /// The sender's id for a message.
    pub msg_id: Option<String>,
    /// The text of a message; empty when recalled.
    pub content: String,
    /// The id of the message that it is about, or the user whose membership changed.
    pub target: Option<i64>,
    /// The place of the message that it is about.
    pub target_seq: Option<Seq>,
    /// The name of the user whose membership changed.
    pub target_name: Option<String>,
    /// What it says beside its text: a JSON object.
    pub detail: Option<String>,
    /// When it was committed, milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it was recalled.
    pub recalled_at: Option<i64>,
    /// When it was last edited.
    pub edited_at: Option<i64>,
    /// The place of the entry of that edit.
    pub edited_seq: Option<Seq>,
}

/// An entry to be written. It is an [`Entry`] once it is committed: [`NewEntry::stored`].
#[derive(Clone, Debug, Default)]
pub struct NewEntry<'a> {
    /// Its id.
    pub id: i64,
    /// The conversation's key.
    pub conversation: &'a str,
    /// Its place: the conversation's `last_seq + 1`.
    pub seq: Seq,
    /// What it is.
    pub kind: EntryKind,
    /// Who writes or does it.
    pub sender_id: UserId,
    /// The sender's id for a message.
    pub msg_id: Option<&'a str>,
    /// The text of a message.
    pub content: &'a str,
    /// The recalled or edited message's id, or the user whose membership changes.
    pub target: Option<i64>,
    /// The recalled or edited message's place.
    pub target_seq: Option<Seq>,
    /// What it says beside its text: a JSON object.
    pub detail: Option<&'a str>,
    /// The file that a message brings, as its detail says.
    pub file: Option<FileId>,
    /// Now, milliseconds since the Unix epoch.
    pub created_at: i64,
}

impl NewEntry<'_> {
    /// The entry as it is read back once it is committed, with the names of its sender and of the user whom it is about.
    pub fn stored(&self, sender: &str, target_name: Option<&str>) -> Entry {
        Entry {
            id: self.id,
            conversation: self.conversation.to_owned(),
            seq: self.seq,
            kind: self.kind,
            sender_id: self.sender_id,
            sender: sender.to_owned(),
            msg_id: self.msg_id.map(str::to_owned),
            content: self.content.to_owned(),
            target: self.target,
            target_seq: self.target_seq,
            target_name: target_name.map(str::to_owned),
            detail: self.detail.map(str::to_owned),
            created_at: self.created_at,
            recalled_at: None,
            edited_at: None,
            edited_seq: None,
        }
    }
}
