//! WebP, animated ones too.

use super::exif::turned;
use super::kept::Kept;

/// Chunks that say what the pixels are and how they are shown.
const NEEDED: &[&[u8; 4]] = &[
    b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];
/// In the flags of `VP8X`: there is EXIF, there is XMP.
const EXIF: u8 = 0b1000;
const XMP: u8 = 0b0100;

pub(super) fn strip(bytes: &[u8], orientation: u8) -> Option<Kept<'_>> {
    if !bytes.starts_with(b"RIFF") || bytes.get(8..12)? != b"WEBP" {
        return None;
    }
    let size: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let all = 8_usize.checked_add(u32::from_le_bytes(size) as usize)?;
    let bytes = bytes.get(..all)?;
    let mut kept = Kept::of(bytes);
    kept.put(bytes[..12].to_vec())?;
    let exif = turned(orientation);
    let (mut at, mut extended, mut any) = (12, false, false);
    while at < all {
        let kind: &[u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        let size: [u8; 4] = bytes.get(at + 4..at + 8)?.try_into().ok()?;
        let size = u32::from_le_bytes(size) as usize;
        // Filled up to an even number.
        let end = at
            .checked_add(8)?
            .checked_add(size.checked_add(size % 2)?)?;
        let chunk = bytes.get(at..end)?;
        if kind == b"VP8X" {
            let mut chunk = chunk.to_vec();
            let flags = chunk.get_mut(8)?;
            *flags &= !(EXIF | XMP);
            if exif.is_some() {
                *flags |= EXIF;
            }
            extended = true;
            kept.put(chunk)?;
        } else if NEEDED.contains(&kind) {
            any = true;
            kept.keep(at, end)?;
        }
        at = end;
    }
    if !any {
        return None;
    }
    // Only the extended form can say how it is turned.
    if extended && let Some(exif) = exif {
        let mut chunk = b"EXIF".to_vec();
        chunk.extend(u32::try_from(exif.len()).ok()?.to_le_bytes());
        chunk.extend_from_slice(&exif);
        kept.put(chunk)?;
    }
    let mut kept = kept.end()?;
    let size = u32::try_from(kept.len() - 8).ok()?;
    kept.first_mut()?[4..8].copy_from_slice(&size.to_le_bytes());
    Some(kept)
}
