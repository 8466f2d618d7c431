//! Photograph-like pictures, made by a seeded formula, through the whole way and beside a decoder that is known to be right.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pictures for tests, of sizes that are known"
)]

#[path = "support/made.rs"]
mod made;

use guest_http::Query;
use image_resize::ask::parse;
use image_resize::pipeline::answer;
use jpeg_encoder::SamplingFactor;
use made::{Made, Photograph};
use picture::input::Input;
use picture::jpeg::{Header, Kind, Scan};
use picture::open::open;
use picture::pipeline::resize;
use picture::rows::{ImageError, Rows};
use zune_jpeg::zune_core::bytestream::ZCursor;

fn all_rows(rows: &mut dyn Rows) -> Result<Vec<u8>, ImageError> {
    let width = rows.size().columns() * rows.channels().count();
    let mut all = vec![0; width * rows.size().height as usize];
    all.chunks_exact_mut(width).try_for_each(|row| rows.next_row(row))?;
    Ok(all)
}

fn ours(file: &[u8]) -> Result<Vec<u8>, ImageError> {
    let mut input = Input::new(file, 1 << 20);
    let header = Header::read(&mut input)?;
    assert_eq!(header.kind, Kind::Rows);
    all_rows(&mut Scan::new(&header, input)?)
}

fn theirs(file: &[u8]) -> Vec<u8> {
    let options = zune_jpeg::zune_core::options::DecoderOptions::default()
        .jpeg_set_out_colorspace(zune_jpeg::zune_core::colorspace::ColorSpace::RGB);
    zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(file), options).decode().unwrap()
}

/// How far two pictures are apart: on average, and at most.
fn distance(one: &[u8], other: &[u8]) -> (f64, u8) {
    assert_eq!(one.len(), other.len());
    let apart = one.iter().zip(other).map(|(one, other)| one.abs_diff(*other));
    (apart.clone().map(f64::from).sum::<f64>() / one.len() as f64, apart.max().unwrap_or(0))
}

/// Every sampling that cameras use, with and without restart markers, at sizes that do not fill their last blocks. The
/// other decoder goes smoothly from one colour sample to the next downwards as well: a tiny picture is all such steps.
#[test]
fn decodes_as_another_decoder_does() {
    let samplings = [
        (SamplingFactor::R_4_4_4, 0.7),
        (SamplingFactor::R_4_2_2, 0.7),
        (SamplingFactor::R_4_4_0, 1.5),
        (SamplingFactor::R_4_2_0, 1.5),
    ];
    for (sampling, allowed) in samplings {
        for (width, height) in [(64, 64), (1, 1), (7, 9), (130, 67), (33, 200)] {
            for restart in [0, 1, 5] {
                let made = Made { width, height, sampling, restart, ..Made::default() };
                let file = made.jpeg();
                let (mean, most) = distance(&ours(&file).unwrap(), &theirs(&file));
                let allowed = if width * height < 100 { allowed * 5.0 } else { allowed };
                assert!(
                    mean <= allowed,
                    "{sampling:?} {width}x{height} restart {restart}: {mean} apart, at most {most}"
                );
            }
        }
    }
}

#[test]
fn grey_is_decoded_to_the_bit_or_nearly() {
    let file = Made { width: 131, height: 77, grey: true, ..Made::default() }.jpeg();
    let (_, most) = distance(&ours(&file).unwrap(), &theirs(&file));
    assert!(most <= 2, "{most}");
}

#[test]
fn a_picture_stays_itself_through_every_format() {
    let made = Made { width: 480, height: 320, quality: 95, ..Made::default() };
    let expect =
        all_rows(&mut picture::resize::Resize::new(made.whole(), picture::rows::Size { width: 96, height: 64 }))
            .unwrap();
    for (name, file, by_rows) in [
        ("jpeg", made.jpeg(), true),
        ("progressive", Made { progressive: true, ..made }.jpeg(), false),
        ("png", made.png(), true),
        ("webp", made.webp(), false),
    ] {
        let ask = parse(Query::new("w=96&h=400&format=png")).unwrap();
        let resized = resize(file.as_slice(), &ask).unwrap();
        assert_eq!((resized.size.width, resized.size.height, resized.by_rows), (96, 64, by_rows), "{name}");
        let png = resized.pieces.concat();
        let pixels = all_rows(&mut *open(png.as_slice()).unwrap().rows).unwrap();
        let (mean, most) = distance(&pixels, &expect);
        assert!(mean < 2.0, "{name}: {mean} apart, at most {most}");
    }
}

#[test]
fn a_turned_picture_comes_out_upright() {
    for (orientation, size) in [(1, (60, 40)), (3, (60, 40)), (6, (27, 40)), (8, (27, 40))] {
        let file = Made { width: 480, height: 320, orientation, ..Made::default() }.jpeg();
        let resized = resize(file.as_slice(), &parse(Query::new("w=100&h=40")).unwrap()).unwrap();
        assert_eq!((resized.size.width, resized.size.height), size, "orientation {orientation}");
        let pieces = resized.pieces.concat();
        let written = open(pieces.as_slice()).unwrap();
        assert_eq!((written.rows.size().width, written.rows.size().height), size, "orientation {orientation}");
        assert!(written.orientation.is_upright());
    }
}

#[test]
fn real_files_in_data() {
    let files = [
        ("harbour.jpg", "160x107"),
        ("harbour-progressive.jpg", "160x107"),
        ("harbour.webp", "160x107"),
        ("badge.png", "160x160"),
    ];
    for (name, size) in files {
        let file = std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)).unwrap();
        let reply = answer("POST", "/", Query::new("w=160"), file.as_slice());
        assert_eq!(reply.status, 200, "{name}");
        assert!(reply.headers.contains(&("x-image-size", size.to_owned())), "{name}: {:?}", reply.headers);
    }
}

#[test]
fn refusals() {
    let jpeg = Made::default().jpeg();
    let progressive = Photograph { width: 2100, height: 2000, seed: 1 }.jpeg_header_claiming(0xc2);
    let vast = Photograph { width: 65_000, height: 65_000, seed: 1 }.jpeg_header_claiming(0xc0);
    let cases: [(&str, &[u8], u16, &str); 9] = [
        ("nothing", b"", 400, "it is empty"),
        ("text", b"hello, here is a picture", 415, "not a JPEG, PNG or WebP"),
        ("half a JPEG", &jpeg[..jpeg.len() / 2], 400, "the JPEG is damaged: the picture is cut short"),
        ("a JPEG's head", &jpeg[..30], 400, "the JPEG is damaged"),
        ("a progressive one", &progressive, 413, "progressive JPEG pictures may have 4194304 pixels at most"),
        ("a vast one", &vast, 413, "baseline JPEG pictures may have 40000000 pixels at most"),
        ("half a PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 400, "the PNG is damaged"),
        ("a lossless one", &[0xff, 0xd8, 0xff, 0xc3, 0, 2], 415, "lossless"),
        ("an empty WebP", b"RIFF\x04\0\0\0WEBP", 400, "the WebP is damaged"),
    ];
    for (name, body, status, text) in cases {
        let reply = answer("POST", "/", Query::new("w=10"), body);
        let detail = String::from_utf8(reply.body.concat()).unwrap();
        assert!(reply.status == status && detail.contains(text), "{name}: {} {detail}", reply.status);
    }
    assert_eq!(answer("GET", "/", Query::new("w=10"), &b""[..]).status, 405);
    assert_eq!(answer("POST", "/x", Query::new("w=10"), &b""[..]).status, 404);
    assert_eq!(answer("POST", "/", Query::new("w=ten"), &b""[..]).status, 400);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    /// Damage anywhere gives a picture or a refusal, and neither a panic nor a loop without end.
    #[test]
    fn damage_is_survived(
        hits in proptest::collection::vec((0.0..1.0_f64, 0..=255_u8), 1..6), cut in 0.0..1.0_f64, restart in 0..3_u16, kind in 0..4,
    ) {
        let made = Made { width: 70, height: 50, restart, ..Made::default() };
        let mut file = match kind {
            0 => made.png(),
            1 => made.webp(),
            2 => Made { progressive: true, ..made }.jpeg(),
            _ => made.jpeg(),
        };
        for (place, byte) in hits {
            let at = (place * file.len() as f64) as usize;
            file[at] = byte;
        }
        if cut < 0.3 {
            file.truncate((cut * 3.0 * file.len() as f64) as usize);
        }
        let reply = answer("POST", "/", Query::new("w=20"), file.as_slice());
        proptest::prop_assert!([200, 400, 413, 415].contains(&reply.status));
    }
}
