use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader};

use super::*;

const SECRET: &[u8] = b"48.8584N 2.2945E";
const FORMATS: &[(Format, ImageFormat)] = &[
    (Format::Png, ImageFormat::Png),
    (Format::Jpeg, ImageFormat::Jpeg),
    (Format::Gif, ImageFormat::Gif),
    (Format::WebP, ImageFormat::WebP),
];

fn plain(format: ImageFormat) -> Vec<u8> {
    let picture = DynamicImage::ImageRgb8(image::RgbImage::new(30, 20));
    let mut bytes = Vec::new();
    picture
        .write_to(&mut Cursor::new(&mut bytes), format)
        .unwrap();
    bytes
}

/// A picture with a secret in each place that its format has for such, and behind its end.
fn telling(format: Format, plain: &[u8]) -> Vec<u8> {
    let mut bytes = plain.to_vec();
    let put = |bytes: &mut Vec<u8>, at: usize, what: Vec<u8>| {
        bytes.splice(at..at, what);
    };
    match format {
        Format::Png => {
            // Behind the head, which is 25 bytes.
            for kind in [b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"tIME", b"prVt"] {
                let mut chunk = (SECRET.len() as u32).to_be_bytes().to_vec();
                chunk.extend_from_slice(kind);
                chunk.extend_from_slice(SECRET);
                let mut sum = flate2::Crc::new();
                sum.update(&chunk[4..]);
                let sum = sum.sum().to_be_bytes();
                chunk.extend(sum);
                put(&mut bytes, 33, chunk);
            }
            bytes.extend_from_slice(SECRET);
        }
        Format::Jpeg => {
            for marker in [0xe1, 0xe2, 0xe4, 0xed, 0xee, 0xef, 0xfe] {
                let mut segment = vec![0xff, marker];
                segment.extend((SECRET.len() as u16 + 2).to_be_bytes());
                segment.extend_from_slice(SECRET);
                put(&mut bytes, 2, segment);
            }
            bytes.extend_from_slice(SECRET);
        }
        Format::Gif => {
            let end = bytes.len() - 1;
            let block = |kind: &[u8]| {
                let mut block = vec![0x21];
                block.extend_from_slice(kind);
                block.push(SECRET.len() as u8);
                block.extend_from_slice(SECRET);
                block.push(0);
                block
            };
            put(&mut bytes, end, block(&[0xfe]));
            put(&mut bytes, end, block(b"\xff\x0bXMP DataXMP"));
            bytes.extend_from_slice(SECRET);
        }
        Format::WebP => {
            for kind in [b"EXIF", b"XMP ", b"PRVT"] {
                bytes.extend_from_slice(kind);
                bytes.extend((SECRET.len() as u32).to_le_bytes());
                bytes.extend_from_slice(SECRET);
            }
            let size = (bytes.len() - 8) as u32;
            bytes[4..8].copy_from_slice(&size.to_le_bytes());
            bytes.extend_from_slice(SECRET);
        }
    }
    bytes
}

fn stripped(format: Format, bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let kept = strip(format, bytes, orientation)?;
    Some(kept.pieces().flatten().copied().collect())
}

fn tells(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

#[test]
fn nothing_is_told_but_the_picture() {
    for &(format, kind) in FORMATS {
        let plain = plain(kind);
        let telling = telling(format, &plain);
        assert!(tells(&telling));
        let kept = stripped(format, &telling, 1).unwrap();
        assert!(!tells(&kept), "{format:?}");
        let (before, after) = (
            image::load_from_memory(&plain).unwrap(),
            image::load_from_memory(&kept).unwrap(),
        );
        assert!(before == after, "{format:?}");
        let twice = stripped(format, &kept, 1).unwrap();
        assert!(twice == kept, "{format:?}");
    }
}

#[test]
fn how_it_is_turned_is_kept() {
    for &(format, kind) in &FORMATS[..2] {
        for orientation in 2..=8 {
            let kept = stripped(format, &plain(kind), orientation).unwrap();
            let reader = ImageReader::with_format(Cursor::new(&kept), kind);
            let mut decoder = reader.into_decoder().unwrap();
            let found = decoder.orientation().unwrap();
            let expected = Orientation::from_exif(orientation).unwrap();
            assert_eq!(found, expected, "{format:?}");
            assert!(DynamicImage::from_decoder(decoder).is_ok());
        }
    }
}

#[test]
fn a_second_scan_is_kept_and_what_stands_between_is_looked_at() {
    let mut bytes = b"\xff\xd8\xff\xda\0\x03x12\xff\0\xff\xd03".to_vec();
    bytes
        .extend_from_slice(b"\xff\xc4\0\x04\xff\xd9\xff\xfe\0\x05abc\xff\xda\0\x03y45\xff\xd9rest");
    let kept = stripped(Format::Jpeg, &bytes, 1).unwrap();
    assert_eq!(
        kept,
        b"\xff\xd8\xff\xda\0\x03x12\xff\0\xff\xd03\xff\xc4\0\x04\xff\xd9\xff\xda\0\x03y45\xff\xd9"
    );
}

#[test]
fn many_pieces_are_no_picture() {
    let mut bytes = b"GIF89a\x01\0\x01\0\0\0\0".to_vec();
    for _ in 0..20_000 {
        bytes.extend_from_slice(b"\x21\xfe\0\x21\xf9\0");
    }
    bytes.push(0x3b);
    assert!(strip(Format::Gif, &bytes, 1).is_none());
}

#[test]
fn whatever_it_is_it_is_read_to_its_end_at_most() {
    for &(format, kind) in FORMATS {
        let telling = telling(format, &plain(kind));
        for at in 0..telling.len().min(400) {
            let _ = strip(format, &telling[..at], 6);
            let mut other = telling.clone();
            other[at] = other[at].wrapping_add(0x80);
            let _ = strip(format, &other, 6);
        }
    }
}
