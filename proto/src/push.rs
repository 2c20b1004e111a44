//! The only ways to encode a push: what one user's sockets are to get, and what their gateways are to know.

use bytes::Bytes;
use prost::Message as _;

use crate::bus::{Control, Push, PushFrame, control};

impl PushFrame {
    /// A frame that is no entry of a conversation's log: an ACK, a receipt, typing.
    pub fn plain(json: impl Into<Bytes>) -> Self {
        Self {
            json: json.into(),
            conversation: String::new(),
            seq: 0,
        }
    }

    /// The entry of a conversation's log that stands at `seq`.
    pub fn entry(json: impl Into<Bytes>, conversation: impl Into<String>, seq: i64) -> Self {
        Self {
            json: json.into(),
            conversation: conversation.into(),
            seq,
        }
    }
}

impl Push {
    /// The payload that brings these frames to one user's sockets, in their order.
    pub fn of(frames: Vec<PushFrame>) -> Bytes {
        Self {
            frames,
            control: None,
        }
        .encode_to_vec()
        .into()
    }

    /// The payload that tells gateways something about one user's sessions.
    pub fn control(kind: control::Kind) -> Bytes {
        Self {
            frames: Vec::new(),
            control: Some(Control { kind: Some(kind) }),
        }
        .encode_to_vec()
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read_back() {
        let frames = vec![
            PushFrame::entry("{1}", "d:1:2", 7),
            PushFrame::plain(String::from("{2}")),
        ];
        let push = Push::decode(Push::of(frames.clone())).unwrap();
        assert_eq!((push.frames, push.control), (frames, None));

        let kind = control::Kind::TokenVersion(3);
        let push = Push::decode(Push::control(kind)).unwrap();
        assert_eq!(push.frames, []);
        assert_eq!(push.control, Some(Control { kind: Some(kind) }));
    }
}
