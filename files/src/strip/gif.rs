//! GIF, animated ones too.

use super::kept::Kept;

pub(super) fn strip(bytes: &[u8]) -> Option<Kept<'_>> {
    let mut kept = Kept::of(bytes);
    if !bytes.starts_with(b"GIF87a") && !bytes.starts_with(b"GIF89a") {
        return None;
    }
    let mut at = 13 + colours(*bytes.get(10)?);
    kept.keep(0, at)?;
    loop {
        let begin = at;
        match *bytes.get(at)? {
            // An extension.
            0x21 => {
                let kind = *bytes.get(at + 1)?;
                at = end_of_blocks(bytes, at + 2)?;
                if is_needed(kind, bytes.get(begin + 2..at)?) {
                    kept.keep(begin, at)?;
                }
            }
            // A picture: its place, its colours, the size of its codes, its data.
            0x2c => {
                let begin_of_data = at + 10 + colours(*bytes.get(at + 9)?) + 1;
                at = end_of_blocks(bytes, begin_of_data)?;
                kept.keep(begin, at)?;
            }
            // The end.
            0x3b => {
                kept.keep(at, at + 1)?;
                return kept.end();
            }
            _ => return None,
        }
    }
}

/// The bytes of a table of colours, by the flags before it.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        return 0;
    }
    3 << ((flags & 7) + 1)
}

/// Behind blocks that each say their size, and an empty one.
fn end_of_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let size = usize::from(*bytes.get(at)?);
        at += 1 + size;
        if size == 0 {
            return Some(at);
        }
    }
}

/// How a picture is shown, and how often all of them are.
fn is_needed(kind: u8, blocks: &[u8]) -> bool {
    match kind {
        0xf9 => true,
        0xff => blocks.starts_with(b"\x0bNETSCAPE2.0") || blocks.starts_with(b"\x0bANIMEXTS1.0"),
        _ => false,
    }
}
