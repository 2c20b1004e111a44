//! Takes out of a picture whatever is not the picture: where and with what it was taken, comments, what stands behind its
//! end. Its pixels stay as they are, bit by bit.
//!
//! Each format is a list of blocks. Those that a viewer needs are kept, by a list of them; all others go. The crates that
//! read such lists keep what they do not know, and of a JPEG whatever comes behind its first scan.

mod exif;
mod gif;
mod jpeg;
mod kept;
mod png;
mod webp;

pub(crate) use kept::Kept;

/// A picture's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
}

/// What is kept of a picture; `orientation`, by the number that EXIF has for it, is kept where the format can say it.
/// `None` for what is no whole picture of that format.
pub(crate) fn strip(format: Format, bytes: &[u8], orientation: u8) -> Option<Kept<'_>> {
    match format {
        Format::Png => png::strip(bytes, orientation),
        Format::Jpeg => jpeg::strip(bytes, orientation),
        Format::Gif => gif::strip(bytes),
        Format::WebP => webp::strip(bytes, orientation),
    }
}

#[cfg(test)]
mod tests;
