//! Hashes that are the same on every node and in every version, since they are stored or decide who may write.

/// FNV-1a of 64 bits.
pub(crate) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Tells one message's text from another, to see whether a repeat is one. It is no protection: senders can only fool
/// themselves.
pub fn content_hash(text: &str) -> i64 {
    fnv1a(text.bytes()).cast_signed()
}

/// The same of a message that may bring a file: another file is another message. Without one it is [`content_hash`].
pub fn said_hash(text: &str, file: Option<i64>) -> i64 {
    // No text has the byte 0.
    let file = file.map(|id| std::iter::once(0).chain(id.to_le_bytes()));
    fnv1a(text.bytes().chain(file.into_iter().flatten())).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_are_stored() {
        assert_eq!(fnv1a([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(*b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(content_hash("a"), 0xaf63_dc4c_8601_ec8c_u64.cast_signed());
        assert_eq!(said_hash("a", None), content_hash("a"));
        assert_ne!(said_hash("a", Some(1)), said_hash("a", None));
        assert_ne!(said_hash("a", Some(1)), said_hash("a", Some(2)));
    }
}
