//! The key of a conversation, and the partition that orders it.

use std::fmt;
use std::str::FromStr;

use crate::hash::fnv1a;
use crate::{GroupId, UserId};

/// What a message belongs to. Its text form is stable, stored, and part of the client contract:
/// `d:<lower uid>:<higher uid>` (also with oneself) or `g:<group id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConversationKey {
    /// Two users, the lower id first; the same id twice is a talk with oneself.
    Direct(UserId, UserId),
    /// A group.
    Group(GroupId),
}

/// The text is not a conversation key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a conversation key: expected d:<uid>:<uid> or g:<group id>")]
pub struct InvalidKey;

impl ConversationKey {
    /// The private conversation of two users, in whichever order they are named.
    pub fn direct(a: UserId, b: UserId) -> Self {
        Self::Direct(a.min(b), a.max(b))
    }

    /// The other side of a private conversation (oneself in a talk with oneself); `None` for a group or a stranger.
    pub fn peer_of(self, me: UserId) -> Option<UserId> {
        match self {
            Self::Direct(a, b) if a == me => Some(b),
            Self::Direct(a, b) if b == me => Some(a),
            _ => None,
        }
    }

    /// The group, if this is one.
    pub fn group(self) -> Option<GroupId> {
        match self {
            Self::Group(id) => Some(id),
            Self::Direct(..) => None,
        }
    }

    /// The partition in `0..partitions` that orders this conversation: FNV-1a of the text form, the same on every
    /// node and in every version, since it decides who may write.
    pub fn partition(self, partitions: u16) -> u16 {
        let hash = fnv1a(self.to_string().bytes());
        // The low bits of FNV-1a are its weakest; fold the high half in before taking the remainder.
        let folded = hash ^ (hash >> 32);
        u16::try_from(folded % u64::from(partitions.max(1))).unwrap_or(0)
    }
}

impl fmt::Display for ConversationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(a, b) => write!(f, "d:{a}:{b}"),
            Self::Group(id) => write!(f, "g:{id}"),
        }
    }
}

impl FromStr for ConversationKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let id = |s: &str| {
            let plain =
                !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) && !s.starts_with('0');
            s.parse::<i64>().ok().filter(|_| plain).ok_or(InvalidKey)
        };
        match text.split_once(':').ok_or(InvalidKey)? {
            ("g", rest) => Ok(Self::Group(id(rest)?)),
            ("d", rest) => {
                let (a, b) = rest.split_once(':').ok_or(InvalidKey)?;
                let (a, b) = (id(a)?, id(b)?);
                if a <= b {
                    Ok(Self::Direct(a, b))
                } else {
                    Err(InvalidKey)
                }
            }
            _ => Err(InvalidKey),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_orders_the_two_users() {
        assert_eq!(ConversationKey::direct(9, 4).to_string(), "d:4:9");
        assert_eq!("d:4:9".parse(), Ok(ConversationKey::Direct(4, 9)));
        assert_eq!("d:4:4".parse(), Ok(ConversationKey::direct(4, 4)));
        assert_eq!("g:42".parse(), Ok(ConversationKey::Group(42)));
        for bad in [
            "", "g:", "g:-1", "g:0", "d:9:4", "d:1", "d:1:2:3", "x:1", "g:1 ", "d:+1:2", "g:01",
        ] {
            assert_eq!(bad.parse::<ConversationKey>(), Err(InvalidKey), "{bad}");
        }
    }

    #[test]
    fn partitions_are_stable_and_spread() {
        assert_eq!(ConversationKey::Direct(1, 2).partition(64), 11);
        assert_eq!(ConversationKey::Group(42).partition(64), 39);
        let mut counts = [0u32; 64];
        for n in 1..=6400 {
            counts[usize::from(ConversationKey::direct(n, n + 1).partition(64))] += 1;
        }
        assert!(counts.iter().all(|&c| (50..150).contains(&c)), "{counts:?}");
    }
}
