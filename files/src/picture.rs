//! A picture made safe to hand on: without its metadata, its size known, with a thumbnail. What its bytes unpack to is
//! bounded before they are unpacked.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::spool::Spool;
use crate::strip::{Format, Kept, strip};

/// Pixels of a picture that has a thumbnail.
const SHOWN_PIXELS: u64 = 1 << 24;
/// Pixels of a picture that is taken at all: no viewer is handed a bomb.
const MOST_PIXELS: u64 = 100_000_000;
/// Bytes that unpacking one may take.
const UNPACKED: u64 = 96 * 1024 * 1024;
/// The longer side of a thumbnail.
const THUMBNAIL: u32 = 320;
/// How well a thumbnail is kept, of 100.
const QUALITY: u8 = 80;
/// Pictures that a process works on at once: each takes memory and a core.
static PLACES: Semaphore = Semaphore::const_new(1);

/// A picture without its metadata.
#[derive(Debug)]
pub struct Prepared {
    /// Its bytes.
    pub spool: Spool,
    /// As it is shown.
    pub width: u32,
    /// As it is shown.
    pub height: u32,
    /// A small one; `None` where it is too large to be unpacked, or cannot be.
    pub thumbnail: Option<Thumbnail>,
}

/// A small picture.
#[derive(Debug)]
pub struct Thumbnail {
    /// `image/jpeg`, or `image/png` where one can look through it.
    pub mime: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a look at a picture says.
struct Seen {
    kept: Vec<u8>,
    width: u32,
    height: u32,
    thumbnail: Option<Thumbnail>,
}

/// Prepares the picture that came in. Others wait for their turn meanwhile: one is unpacked at a time.
///
/// # Errors
/// [`Error::BadPicture`] for one that is cut off, or too large; [`Error::Full`].
pub async fn prepare(mime: &str, mut came: Spool, mut empty: Spool) -> Result<Prepared> {
    let format = format(mime).ok_or(Error::BadPicture("it is of no kind that is known"))?;
    came.flush().await?;
    let place = PLACES.acquire().await;
    let (path, bytes) = (came.path().to_owned(), came.bytes());
    // Its place is taken until it is done, also where nobody waits for it any more; and until what is kept of it is on the
    // disk, and no longer in memory.
    let looking = move || (look(format, path, bytes), place);
    let (seen, _place) = tokio::task::spawn_blocking(looking).await?;
    let seen = seen?;
    empty.write(&seen.kept).await?;
    Ok(Prepared {
        spool: empty,
        width: seen.width,
        height: seen.height,
        thumbnail: seen.thumbnail,
    })
}

fn format(mime: &str) -> Option<(Format, ImageFormat)> {
    Some(match mime {
        "image/png" => (Format::Png, ImageFormat::Png),
        "image/jpeg" => (Format::Jpeg, ImageFormat::Jpeg),
        "image/gif" => (Format::Gif, ImageFormat::Gif),
        "image/webp" => (Format::WebP, ImageFormat::WebP),
        _ => return None,
    })
}

fn look((format, kind): (Format, ImageFormat), path: PathBuf, bytes: u64) -> Result<Seen> {
    let mut came = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    File::open(path)?.take(bytes).read_to_end(&mut came)?;
    let bad = || Error::BadPicture("it is cut off, or is none");
    let mut decoder = reader(&came, kind).into_decoder().map_err(|_| bad())?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MOST_PIXELS {
        return Err(Error::BadPicture("it has more than 100 million pixels"));
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let kept = strip(format, &came, orientation.to_exif()).ok_or_else(bad)?;
    let shown = pixels <= SHOWN_PIXELS && decoder.total_bytes() <= UNPACKED;
    let thumbnail = shown
        .then(|| DynamicImage::from_decoder(decoder).ok())
        .flatten()
        .and_then(|picture| thumbnail(picture, orientation));
    let turned = orientation.to_exif() > 4;
    let (width, height) = if turned {
        (height, width)
    } else {
        (width, height)
    };
    Ok(Seen {
        kept: joined(&kept),
        width,
        height,
        thumbnail,
    })
}

fn joined(kept: &Kept<'_>) -> Vec<u8> {
    kept.pieces().flatten().copied().collect()
}

fn reader(bytes: &[u8], kind: ImageFormat) -> ImageReader<Cursor<&[u8]>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind);
    let mut limits = Limits::default();
    limits.max_alloc = Some(UNPACKED);
    reader.limits(limits);
    reader
}

fn thumbnail(picture: DynamicImage, orientation: Orientation) -> Option<Thumbnail> {
    let small = picture.width() <= THUMBNAIL && picture.height() <= THUMBNAIL;
    let mut picture = match small {
        true => picture,
        false => picture.thumbnail(THUMBNAIL, THUMBNAIL),
    };
    picture.apply_orientation(orientation);
    let mut bytes = Vec::new();
    let mime = if picture.color().has_alpha() {
        let picture = DynamicImage::ImageRgba8(picture.into_rgba8());
        picture
            .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
            .ok()?;
        "image/png"
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
        picture.into_rgb8().write_with_encoder(encoder).ok()?;
        "image/jpeg"
    };
    Some(Thumbnail { mime, bytes })
}

#[cfg(test)]
mod tests;
