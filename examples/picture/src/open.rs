//! Finds out what a body is, by its first bytes, and opens it in the way that holds least.

use std::io::{Cursor, Read};

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::exif::{self, Orientation};
use crate::input::Input;
use crate::jpeg::{Header, Kind, Scan};
use crate::limit::{JPEG_HEADER_BYTES_MAX, ROW_PIXELS_MAX, WHOLE_FILE_BYTES_MAX, WHOLE_PIXELS_MAX};
use crate::rows::{Channels, ImageError, Rows, Size, Whole, check_pixels};

/// Bytes that tell formats apart.
const MAGIC_BYTES: usize = 12;

/// A picture that can be read, and how it has to be turned.
pub struct Picture<'a> {
    /// Its rows, as they stand in the file.
    pub rows: Box<dyn Rows + 'a>,
    /// How the camera was held.
    pub orientation: Orientation,
    /// Whether it is decoded by rows, or had to be decoded whole.
    pub by_rows: bool,
}

impl std::fmt::Debug for Picture<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("size", &self.rows.size())
            .field("by_rows", &self.by_rows)
            .finish_non_exhaustive()
    }
}

/// Opens a body.
///
/// # Errors
/// When it is no picture, a damaged one, one of a kind that is not decoded here, or one that is too large for its kind.
pub fn open<'a>(body: impl Read + 'a) -> Result<Picture<'a>, ImageError> {
    let mut input = Input::new(body, JPEG_HEADER_BYTES_MAX);
    let magic = input.peek(MAGIC_BYTES)?;
    if magic.starts_with(&[0xff, 0xd8]) {
        jpeg(input)
    } else if magic.starts_with(b"\x89PNG\r\n\x1a\n") {
        png(input)
    } else if magic.starts_with(b"RIFF") && magic.get(8..12) == Some(b"WEBP") {
        webp(input)
    } else if magic.is_empty() {
        Err(ImageError::Malformed { format: "body", what: "it is empty; send a picture".to_owned() })
    } else {
        Err(ImageError::Unsupported("this is not a JPEG, PNG or WebP"))
    }
}

fn jpeg<'a>(mut input: Input<impl Read + 'a>) -> Result<Picture<'a>, ImageError> {
    let header = Header::read(&mut input)?;
    if header.kind == Kind::Rows {
        check_pixels("baseline JPEG", header.size, ROW_PIXELS_MAX)?;
        input.forget();
        let rows = Box::new(Scan::new(&header, input)?);
        return Ok(Picture { rows, orientation: header.orientation, by_rows: true });
    }
    check_pixels("progressive JPEG", header.size, WHOLE_PIXELS_MAX)?;
    let file = input.into_all(WHOLE_FILE_BYTES_MAX)?;
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file.as_slice()), options);
    let pixels = decoder.decode().map_err(|error| ImageError::jpeg(&first_line(&error)))?;
    whole("JPEG", header.size, Channels::Rgb, pixels, header.orientation)
}

fn whole<'a>(
    format: &'static str,
    size: Size,
    channels: Channels,
    pixels: Vec<u8>,
    orientation: Orientation,
) -> Result<Picture<'a>, ImageError> {
    let rows = Whole::new(size, channels, pixels);
    let rows = rows.ok_or_else(|| ImageError::Malformed { format, what: "its size is not what it says".to_owned() })?;
    Ok(Picture { rows: Box::new(rows), orientation, by_rows: false })
}

fn png_error(error: &png::DecodingError) -> ImageError {
    ImageError::Malformed { format: "PNG", what: first_line(error) }
}

fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn png<'a>(mut input: Input<impl Read + 'a>) -> Result<Picture<'a>, ImageError> {
    input.forget();
    let limits = png::Limits { bytes: JPEG_HEADER_BYTES_MAX };
    let mut decoder = png::Decoder::new_with_limits(input, limits);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(|error| png_error(&error))?;
    let info = reader.info();
    let size = Size { width: info.width, height: info.height };
    let orientation = info.exif_metadata.as_deref().map(exif::orientation).unwrap_or_default();
    let interlaced = info.interlaced;
    let (format, max) = if interlaced { ("interlaced PNG", WHOLE_PIXELS_MAX) } else { ("PNG", ROW_PIXELS_MAX) };
    check_pixels(format, size, max)?;
    let colours = reader.output_color_type().0;
    if !interlaced {
        return Ok(Picture { rows: Box::new(PngRows { reader, size, colours }), orientation, by_rows: true });
    }
    let mut pixels = vec![0; reader.output_buffer_size().unwrap_or(0)];
    reader.next_frame(&mut pixels).map_err(|error| png_error(&error))?;
    let channels = channels(colours);
    let mut spread = vec![0; size.columns() * size.height as usize * channels.count()];
    spread_pixels(colours, &pixels, &mut spread);
    whole("PNG", size, channels, spread, orientation)
}

struct PngRows<R: std::io::BufRead + std::io::Seek> {
    reader: png::Reader<R>,
    size: Size,
    colours: png::ColorType,
}

impl<R: std::io::BufRead + std::io::Seek> Rows for PngRows<R> {
    fn size(&self) -> Size {
        self.size
    }

    fn channels(&self) -> Channels {
        channels(self.colours)
    }

    fn next_row(&mut self, row: &mut [u8]) -> Result<(), ImageError> {
        let short = || ImageError::Malformed { format: "PNG", what: "it has fewer rows than it says".to_owned() };
        let data = self.reader.next_row().map_err(|error| png_error(&error))?.ok_or_else(short)?;
        spread_pixels(self.colours, data.data(), row);
        Ok(())
    }
}

fn channels(colours: png::ColorType) -> Channels {
    match colours {
        png::ColorType::GrayscaleAlpha | png::ColorType::Rgba => Channels::Rgba,
        png::ColorType::Grayscale | png::ColorType::Rgb | png::ColorType::Indexed => Channels::Rgb,
    }
}

/// Writes grey as three equal colours; what has colours is copied.
fn spread_pixels(colours: png::ColorType, from: &[u8], to: &mut [u8]) {
    match colours {
        png::ColorType::Grayscale => {
            for (place, grey) in to.as_chunks_mut::<3>().0.iter_mut().zip(from) {
                *place = [*grey; 3];
            }
        }
        png::ColorType::GrayscaleAlpha => {
            for (place, [grey, alpha]) in to.as_chunks_mut::<4>().0.iter_mut().zip(from.as_chunks::<2>().0) {
                *place = [*grey, *grey, *grey, *alpha];
            }
        }
        // A palette was already looked up: the decoder was told to.
        png::ColorType::Rgb | png::ColorType::Rgba | png::ColorType::Indexed => {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
    }
}

fn webp<'a>(input: Input<impl Read + 'a>) -> Result<Picture<'a>, ImageError> {
    let damaged = |error: image_webp::DecodingError| ImageError::Malformed { format: "WebP", what: first_line(&error) };
    let file = input.into_all(WHOLE_FILE_BYTES_MAX)?;
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file.as_slice())).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let size = Size { width, height };
    check_pixels("WebP", size, WHOLE_PIXELS_MAX)?;
    if decoder.is_animated() {
        return Err(ImageError::Unsupported("this WebP moves; send a still one"));
    }
    decoder.set_memory_limit(WHOLE_FILE_BYTES_MAX);
    let exif = decoder.exif_metadata().ok().flatten();
    let channels = if decoder.has_alpha() { Channels::Rgba } else { Channels::Rgb };
    let mut pixels = vec![0; decoder.output_buffer_size().unwrap_or(0)];
    decoder.read_image(&mut pixels).map_err(damaged)?;
    whole("WebP", size, channels, pixels, exif.as_deref().map(exif::orientation).unwrap_or_default())
}
