//! Writes the result, a row at a time, into pieces.

use std::cell::RefCell;
use std::io::{self, Write};

use jpeg_encoder::{Encoder, ImageBuffer, JpegColorType};

use crate::limit::RESULT_BYTES_MAX;
use crate::orient::OnWhite;
use crate::rows::{Channels, ImageError, Rows};

/// Bytes in a piece. Pieces do not move when more are needed: a result that grows in one block would be held twice.
const PIECE_BYTES: usize = 64 * 1024;

/// What the result is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Baseline JPEG with a quality of 1 to 100.
    Jpeg(u8),
    /// PNG, without loss.
    Png,
}

impl Format {
    /// The media type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg(_) => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// Writes all rows of a picture.
///
/// # Errors
/// When a row cannot be had, or the result grows too large.
pub fn encode(rows: impl Rows, format: Format) -> Result<Vec<Vec<u8>>, ImageError> {
    match format {
        Format::Jpeg(quality) => jpeg(rows, quality),
        Format::Png => png(rows),
    }
}

/// What was written so far.
#[derive(Debug, Default)]
struct Pieces {
    pieces: Vec<Vec<u8>>,
    total: usize,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.total + bytes.len() > RESULT_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.total += bytes.len();
        match self.pieces.last_mut() {
            Some(piece) if piece.len() + bytes.len() <= PIECE_BYTES => piece.extend_from_slice(bytes),
            _ => {
                let mut piece = Vec::with_capacity(PIECE_BYTES.max(bytes.len()));
                piece.extend_from_slice(bytes);
                self.pieces.push(piece);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn too_large() -> ImageError {
    ImageError::TooManyBytes { what: "the result", max: RESULT_BYTES_MAX }
}

/// A picture as the JPEG encoder asks for it: by the number of the row, which never goes back.
struct Pulled<R>(RefCell<Pull<R>>);

struct Pull<R> {
    rows: R,
    row: Vec<u8>,
    /// How many rows were read.
    read: u32,
    failed: Option<ImageError>,
}

impl<R: Rows> ImageBuffer for &Pulled<R> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        side(self.0.borrow().rows.size().width)
    }

    fn height(&self) -> u16 {
        side(self.0.borrow().rows.size().height)
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let pull = &mut *self.0.borrow_mut();
        while pull.read <= u32::from(y) {
            pull.read += 1;
            // The encoder cannot be stopped from here: once a row has failed, it gets the last one again.
            if pull.failed.is_none() {
                pull.failed = pull.rows.next_row(&mut pull.row).err();
            }
        }
        let [ys, cbs, crs, _] = buffers;
        let pixels = pull.row.as_chunks::<3>().0;
        for [red, green, blue] in pixels {
            let (y, cb, cr) = jpeg_encoder::rgb_to_ycbcr(*red, *green, *blue);
            ys.push(y);
            cbs.push(cb);
            crs.push(cr);
        }
    }
}

/// JPEG knows no side above 65535, and neither does any picture that is read here and turned into one.
fn side(pixels: u32) -> u16 {
    u16::try_from(pixels).unwrap_or(u16::MAX)
}

fn jpeg(rows: impl Rows, quality: u8) -> Result<Vec<Vec<u8>>, ImageError> {
    let size = rows.size();
    if size.width.max(size.height) > u32::from(u16::MAX) {
        return Err(ImageError::Unsupported(
            "a JPEG has at most 65535 pixels on a side; ask for a smaller one, or for PNG",
        ));
    }
    let row = vec![0; size.columns() * Channels::Rgb.count()];
    let pulled = Pulled(RefCell::new(Pull { rows: OnWhite::new(rows), row, read: 0, failed: None }));
    let mut pieces = Pieces::default();
    let written = Encoder::new(&mut pieces, quality).encode_image(&pulled);
    match (pulled.0.into_inner().failed, written) {
        (Some(failed), _) => Err(failed),
        (None, Ok(())) => Ok(pieces.pieces),
        (None, Err(_)) => Err(too_large()),
    }
}

fn png(mut rows: impl Rows) -> Result<Vec<Vec<u8>>, ImageError> {
    let size = rows.size();
    let mut pieces = Pieces::default();
    let mut encoder = png::Encoder::new(&mut pieces, size.width, size.height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.set_color(match rows.channels() {
        Channels::Rgb => png::ColorType::Rgb,
        Channels::Rgba => png::ColorType::Rgba,
    });
    let mut writer = encoder.write_header().map_err(|_| too_large())?;
    let mut stream = writer.stream_writer_with_size(PIECE_BYTES).map_err(|_| too_large())?;
    let mut row = vec![0; size.columns() * rows.channels().count()];
    for _ in 0..size.height {
        rows.next_row(&mut row)?;
        stream.write_all(&row).map_err(|_| too_large())?;
    }
    stream.finish().map_err(|_| too_large())?;
    writer.finish().map_err(|_| too_large())?;
    Ok(pieces.pieces)
}
