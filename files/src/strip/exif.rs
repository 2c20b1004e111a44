//! EXIF that says how a picture is turned, and nothing else.

/// A TIFF of one directory with one entry: the orientation. `None` where it need not be said.
pub(super) fn turned(orientation: u8) -> Option<Vec<u8>> {
    if !(2..=8).contains(&orientation) {
        return None;
    }
    // Byte order, 42, where the directory is; one entry: tag, SHORT, one of it, the value; no other directory.
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    Some(tiff)
}
