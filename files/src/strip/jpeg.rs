//! JPEG, progressive ones too.

use super::exif::turned;
use super::kept::Kept;

/// Ends the picture.
const END: u8 = 0xd9;
/// Begins a scan, whose data has no size.
const SCAN: u8 = 0xda;

pub(super) fn strip(bytes: &[u8], orientation: u8) -> Option<Kept<'_>> {
    let mut kept = Kept::of(bytes);
    if !bytes.starts_with(b"\xff\xd8") {
        return None;
    }
    kept.keep(0, 2)?;
    if let Some(exif) = turned(orientation) {
        kept.put(segment(&exif))?;
    }
    let mut at = 2;
    loop {
        let marker = marker(bytes, &mut at)?;
        let begin = at - 2;
        match marker {
            END => {
                kept.keep(begin, at)?;
                return kept.end();
            }
            // They stand alone.
            0x01 | 0xd0..=0xd7 => continue,
            _ => {}
        }
        let size: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
        let content = at + 2;
        let end = at + usize::from(u16::from_be_bytes(size)).max(2);
        if is_needed(marker, bytes.get(content..end)?) {
            kept.keep(begin, end)?;
        }
        at = end;
        if marker == SCAN {
            at = end_of_scan(bytes, at)?;
            kept.keep(end, at)?;
        }
    }
}

/// The marker at `at`, or behind what fills the space before it; `at` is behind it then.
fn marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    if *bytes.get(*at)? != 0xff {
        return None;
    }
    loop {
        *at += 1;
        let marker = *bytes.get(*at)?;
        if marker != 0xff {
            *at += 1;
            return Some(marker).filter(|&marker| marker != 0);
        }
    }
}

/// Where the data of a scan ends: at a marker that is none of its own.
fn end_of_scan(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        match bytes.get(at + 1)? {
            0 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// Tables, frames and scans; of what programs add, that of JFIF, the colours of Adobe, and colour profiles.
fn is_needed(marker: u8, content: &[u8]) -> bool {
    match marker {
        0xe0 => content.starts_with(b"JFIF\0"),
        0xe2 => content.starts_with(b"ICC_PROFILE\0"),
        0xee => content.starts_with(b"Adobe"),
        0xe1..=0xfe => false,
        _ => true,
    }
}

fn segment(exif: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"Exif\0\0";
    let size = u16::try_from(2 + NAME.len() + exif.len()).unwrap_or_default();
    let mut segment = vec![0xff, 0xe1];
    segment.extend(size.to_be_bytes());
    segment.extend_from_slice(NAME);
    segment.extend_from_slice(exif);
    segment
}
