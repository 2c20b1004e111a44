//! PNG, animated ones too.

use super::exif::turned;
use super::kept::Kept;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Chunks that say what the pixels are and how they are shown.
const NEEDED: &[&[u8; 4]] = &[
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB",
    b"cICP", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

pub(super) fn strip(bytes: &[u8], orientation: u8) -> Option<Kept<'_>> {
    let mut kept = Kept::of(bytes);
    if !bytes.starts_with(SIGNATURE) {
        return None;
    }
    kept.keep(0, SIGNATURE.len())?;
    let mut at = SIGNATURE.len();
    loop {
        let size: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        let kind: &[u8; 4] = bytes.get(at + 4..at + 8)?.try_into().ok()?;
        // Its size, its kind, what is in it, a checksum.
        let end = at.checked_add(12 + u32::from_be_bytes(size) as usize)?;
        if NEEDED.contains(&kind) {
            kept.keep(at, end)?;
        }
        bytes.get(at..end)?;
        if kind == b"IHDR"
            && let Some(exif) = turned(orientation)
        {
            kept.put(chunk(b"eXIf", &exif))?;
        }
        if kind == b"IEND" {
            return kept.end();
        }
        at = end;
    }
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = u32::try_from(content.len())
        .unwrap_or_default()
        .to_be_bytes()
        .to_vec();
    chunk.extend_from_slice(kind);
    chunk.extend_from_slice(content);
    let sum = checksum(&chunk[4..]);
    chunk.extend(sum.to_be_bytes());
    chunk
}

/// CRC-32 of a few bytes.
fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            let odd = sum & 1 == 1;
            sum = (sum >> 1) ^ if odd { 0xedb8_8320 } else { 0 };
        }
    }
    !sum
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_png() {
        assert_eq!(super::checksum(b"IEND"), 0xae42_6082);
    }
}
