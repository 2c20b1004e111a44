//! A block: postings, packed.
//!
//! `base`, the lowest place; then for each key, in order: how much higher it is than the one before, how many places it has,
//! the first of them above `base`, and how far each other is from the one before. All are numbers of seven bits a byte.

use lingxi_domain::Seq;

use crate::error::{Error, Result};

/// A key, and the place of a message that has it.
pub(super) type Posting = (u32, Seq);

/// Packs postings that are in order, each there once.
pub(super) fn pack(postings: &[Posting]) -> Vec<u8> {
    let base = postings.iter().map(|(_, seq)| *seq).min().unwrap_or(0);
    let mut bytes = Vec::with_capacity(postings.len() * 4 + 8);
    put(&mut bytes, base.cast_unsigned());
    let mut before = 0;
    for of_key in postings.chunk_by(|one, other| one.0 == other.0) {
        let key = of_key[0].0;
        put(&mut bytes, u64::from(key - before));
        put(&mut bytes, of_key.len() as u64);
        let mut last = base;
        for (_, seq) in of_key {
            put(&mut bytes, (seq - last).cast_unsigned());
            last = *seq;
        }
        before = key;
    }
    bytes
}

/// Adds what a block holds, of the keys `first..=last`, in its order.
///
/// # Errors
/// [`Error::Corrupt`] for what was not packed here.
pub(super) fn unpack(
    bytes: &[u8],
    (first, last): (u32, u32),
    into: &mut Vec<Posting>,
) -> Result<()> {
    let mut reader = Reader(bytes);
    let base = reader.take()?.cast_signed();
    let mut key = 0_u32;
    while !reader.0.is_empty() {
        let step = u32::try_from(reader.take()?).map_err(|_| corrupt())?;
        key = key.checked_add(step).ok_or_else(corrupt)?;
        if key > last {
            break;
        }
        let count = reader.take()?;
        if key < first {
            reader.skip(count)?;
            continue;
        }
        let mut seq = base;
        for _ in 0..count {
            seq = seq.saturating_add(reader.take()?.cast_signed());
            into.push((key, seq));
        }
    }
    Ok(())
}

/// All keys.
pub(super) const ALL: (u32, u32) = (0, u32::MAX);

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn skip(&mut self, numbers: u64) -> Result<()> {
        let mut left = numbers;
        let mut bytes = self.0.iter();
        while left > 0 {
            let byte = bytes.next().ok_or_else(corrupt)?;
            left -= u64::from(*byte < 0x80);
        }
        self.0 = bytes.as_slice();
        Ok(())
    }

    #[inline]
    fn take(&mut self) -> Result<u64> {
        match self.0 {
            // Nearly all are short.
            [byte, rest @ ..] if *byte < 0x80 => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.take_long(),
        }
    }

    fn take_long(&mut self) -> Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or_else(corrupt)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(corrupt())
    }
}

fn corrupt() -> Error {
    Error::Corrupt("search_blocks.block cannot be read".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], range: (u32, u32)) -> Vec<Posting> {
        let mut found = Vec::new();
        unpack(bytes, range, &mut found).unwrap();
        found
    }

    #[test]
    fn what_was_packed_is_read_back() {
        let postings = [(0, 9), (7, 5), (7, 6), (7, 900_000), (1 << 27, 5)];
        let bytes = pack(&postings);
        assert_eq!(read(&bytes, ALL), postings);
        assert_eq!(read(&bytes, (1, 8)), postings[1..4]);
        assert_eq!(read(&bytes, (8, 100)), []);
        assert_eq!(read(&pack(&[]), ALL), []);
    }

    #[test]
    fn a_posting_takes_few_bytes() {
        // A thousand keys of sixty-four messages, as the smallest block has them.
        let postings: Vec<Posting> = (0..1000)
            .map(|n| (n * 268_435, i64::from(n % 64) + 77))
            .collect();
        assert!(pack(&postings).len() < 5_100);
    }

    #[test]
    fn what_is_no_block_is_an_error_and_not_a_panic() {
        for bytes in [&[][..], &[0x80], &[0, 1], &[0, 1, 9, 1], &[0xff; 40]] {
            assert!(unpack(bytes, ALL, &mut Vec::new()).is_err(), "{bytes:?}");
        }
    }
}
