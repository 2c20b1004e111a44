use super::*;

const BYTES: u64 = 1 << 24;

async fn prepared(mime: &str, bytes: &[u8]) -> Result<(Prepared, Vec<u8>)> {
    let folder = tempfile::tempdir().unwrap();
    let blobs = crate::Blobs::folder(folder.path().join("files"), 0).unwrap();
    let mut came = blobs.spool(BYTES).await.unwrap();
    came.write(bytes).await.unwrap();
    let mut prepared = prepare(mime, came, blobs.spool(BYTES).await.unwrap()).await?;
    prepared.spool.flush().await.unwrap();
    let kept = std::fs::read(prepared.spool.path()).unwrap();
    Ok((prepared, kept))
}

fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = DynamicImage::ImageRgb8(image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x % 256) as u8, (y % 256) as u8, 7])
    }));
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    bytes
}

#[tokio::test]
async fn a_picture_has_its_size_and_a_thumbnail() {
    for (format, mime) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
    ] {
        let bytes = encoded(640, 200, format);
        let (prepared, kept) = prepared(mime, &bytes).await.unwrap();
        assert_eq!((prepared.width, prepared.height), (640, 200), "{mime}");
        let small = prepared.thumbnail.expect(mime);
        let small = image::load_from_memory(&small.bytes).unwrap();
        assert_eq!((small.width(), small.height()), (320, 100), "{mime}");
        let (before, after) = (
            image::load_from_memory(&bytes).unwrap(),
            image::load_from_memory(&kept).unwrap(),
        );
        assert!(before == after, "{mime}: the pixels are the same");
    }
}

#[tokio::test]
async fn what_is_cut_off_is_refused() {
    for (format, mime) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
    ] {
        let bytes = encoded(64, 64, format);
        for end in [9, 20, bytes.len() / 2, bytes.len() - 1] {
            let refused = prepared(mime, &bytes[..end]).await;
            assert!(
                matches!(refused, Err(Error::BadPicture(_))),
                "{mime} {end} of {}",
                bytes.len()
            );
        }
    }
}

/// A PNG that says it is so large, with data of one line.
fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    use std::io::Write as _;
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![0; 1 << 20]).unwrap();
    let mut bytes = encoded(1, 1, ImageFormat::Png)[..8].to_vec();
    let mut head = width.to_be_bytes().to_vec();
    head.extend(height.to_be_bytes());
    head.extend([8, 2, 0, 0, 0]);
    for (kind, content) in [
        (b"IHDR", head),
        (b"IDAT", packed.finish().unwrap()),
        (b"IEND", Vec::new()),
    ] {
        bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(&content);
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(&content);
        bytes.extend(sum.sum().to_be_bytes());
    }
    bytes
}

#[tokio::test]
async fn a_bomb_is_not_unpacked() {
    let refused = prepared("image/png", &png_bomb(50_000, 50_000)).await;
    assert!(matches!(refused, Err(Error::BadPicture(_))));
    // Large, and no bomb for who looks at it: kept without a thumbnail.
    let (kept, _) = prepared("image/png", &png_bomb(8_000, 8_000))
        .await
        .unwrap();
    assert_eq!((kept.width, kept.height), (8_000, 8_000));
    assert!(kept.thumbnail.is_none());
    // Its data is missing: the same.
    let (kept, _) = prepared("image/png", &png_bomb(2_000, 2_000))
        .await
        .unwrap();
    assert!(kept.thumbnail.is_none());
}

#[tokio::test]
async fn of_many_frames_one_is_looked_at() {
    let mut bytes = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new_with_speed(&mut bytes, 30);
        for shade in 0..200 {
            let frame = image::RgbaImage::from_pixel(100, 100, image::Rgba([shade, 0, 0, 255]));
            encoder.encode_frame(image::Frame::new(frame)).unwrap();
        }
    }
    let (prepared, kept) = prepared("image/gif", &bytes).await.unwrap();
    assert!(prepared.thumbnail.is_some());
    let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(kept)).unwrap();
    let frames = image::AnimationDecoder::into_frames(decoder);
    assert_eq!(frames.count(), 200, "all of them are kept");
}

#[tokio::test]
async fn one_can_look_through_a_thumbnail_of_what_one_can_look_through() {
    let picture = DynamicImage::ImageRgba8(image::RgbaImage::new(10, 10));
    let mut bytes = Vec::new();
    let format = ImageFormat::Png;
    picture
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    let (prepared, _) = prepared("image/png", &bytes).await.unwrap();
    assert_eq!(prepared.thumbnail.unwrap().mime, "image/png");
}
