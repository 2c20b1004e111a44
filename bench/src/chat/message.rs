//! The message a sender repeats: a JSON frame written once, of which only a few bytes change.

/// Bytes of content that carry the due time (16 hex digits) and the sender's own sequence number (8).
pub(crate) const STAMP: usize = 24;

/// A message frame whose `msg_id` and content stamp are patched in place.
pub(crate) struct Template {
    bytes: Vec<u8>,
    id: usize,
    stamp: usize,
}

impl Template {
    /// A message to the user `to` with `size` bytes of content, which must be at least [`STAMP`].
    pub(crate) fn private(to: &str, size: usize) -> Self {
        Self::new(2, &format!(r#""to":"{to}""#), size)
    }

    /// A message to a group with `size` bytes of content, which must be at least [`STAMP`].
    pub(crate) fn group(id: u64, size: usize) -> Self {
        Self::new(4, &format!(r#""group_id":{id}"#), size)
    }

    fn new(kind: u8, recipient: &str, size: usize) -> Self {
        let mut text = format!(r#"{{"type":{kind},"msg_id":"m-"#);
        let id = text.len();
        text.push_str("00000000\",");
        text.push_str(recipient);
        text.push_str(",\"content\":\"");
        let stamp = text.len();
        text.extend(std::iter::repeat_n('x', size));
        text.push_str("\"}");
        Self {
            bytes: text.into_bytes(),
            id,
            stamp,
        }
    }

    /// The frame of message number `sequence`, due `due` nanoseconds after the start.
    pub(crate) fn fill(&mut self, sequence: u32, due: u64) -> &[u8] {
        hex(&mut self.bytes[self.id..self.id + 8], u64::from(sequence));
        hex(&mut self.bytes[self.stamp..self.stamp + 16], due);
        hex(
            &mut self.bytes[self.stamp + 16..self.stamp + 24],
            u64::from(sequence),
        );
        &self.bytes
    }
}

/// The sequence number in a `msg_id`.
pub(crate) fn sequence_of(msg_id: &[u8]) -> Option<u32> {
    u32::try_from(unhex(msg_id.strip_prefix(b"m-")?.get(..8)?)?).ok()
}

/// The due time and sequence number in a content.
pub(crate) fn stamp_of(content: &[u8]) -> Option<(u64, u32)> {
    let due = unhex(content.get(..16)?)?;
    let sequence = unhex(content.get(16..24)?)?;
    Some((due, u32::try_from(sequence).ok()?))
}

fn hex(into: &mut [u8], mut value: u64) {
    for digit in into.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

fn unhex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |sum, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(sum << 4 | u64::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::{Template, sequence_of, stamp_of};
    use crate::client::Frame;

    #[test]
    fn a_filled_frame_reads_back() {
        let mut template = Template::private("bob", 100);
        for (sequence, due) in [(0, 0), (u32::MAX, u64::MAX), (7, 123_456_789)] {
            let text = template.fill(sequence, due);
            let value: serde_json::Value = serde_json::from_slice(text).unwrap();
            assert_eq!(value["content"].as_str().unwrap().len(), 100);
            assert_eq!(value["to"], "bob");
            let frame = Frame::scan(text).unwrap();
            assert_eq!(sequence_of(frame.msg_id), Some(sequence));
            assert_eq!(stamp_of(frame.content), Some((due, sequence)));
        }
        let group = serde_json::from_slice::<serde_json::Value>(Template::group(42, 24).fill(1, 2));
        let group = group.unwrap();
        assert_eq!(
            (&group["type"], &group["group_id"]),
            (&4.into(), &42.into())
        );
        assert_eq!(sequence_of(b"other"), None);
        assert_eq!(stamp_of(b"short"), None);
    }
}
