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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_are_stored() {
        assert_eq!(fnv1a([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(*b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(content_hash("a"), 0xaf63_dc4c_8601_ec8c_u64.cast_signed());
    }
}
