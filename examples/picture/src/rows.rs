//! A picture as a sequence of rows, and what can be wrong with one.

use crate::limit;

/// Width and height in pixels, neither of them nought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// All pixels.
    #[must_use]
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Pixels in a row, as an index.
    #[must_use]
    pub fn columns(self) -> usize {
        self.width as usize
    }
}

/// What a pixel consists of, one byte each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channels {
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, and opacity that the colours are not multiplied with.
    Rgba,
}

impl Channels {
    /// Bytes in a pixel.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// A picture that hands out its rows from the top.
pub trait Rows {
    /// Its size.
    fn size(&self) -> Size;

    /// What a pixel consists of.
    fn channels(&self) -> Channels;

    /// Writes the next row, of `size().width * channels().count()` bytes.
    ///
    /// # Errors
    /// When the picture turns out to be damaged, or the body broke off.
    fn next_row(&mut self, row: &mut [u8]) -> Result<(), ImageError>;
}

impl<R: Rows + ?Sized> Rows for Box<R> {
    fn size(&self) -> Size {
        (**self).size()
    }

    fn channels(&self) -> Channels {
        (**self).channels()
    }

    fn next_row(&mut self, row: &mut [u8]) -> Result<(), ImageError> {
        (**self).next_row(row)
    }
}

/// Why a picture cannot be made smaller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The bytes are not what their format asks for.
    #[error("the {format} is damaged: {what}")]
    Malformed {
        /// The format, as people name it.
        format: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The bytes are fine, but of a kind that is not decoded here.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The picture is larger than what its format may be.
    #[error("{format} pictures may have {max} pixels at most, and this one has {pixels}")]
    TooManyPixels {
        /// The format, as people name it.
        format: &'static str,
        /// Pixels in this picture.
        pixels: u64,
        /// Pixels that are allowed.
        max: u64,
    },
    /// Something else is larger than allowed.
    #[error("{what} may take {max} bytes at most")]
    TooManyBytes {
        /// What is too large.
        what: &'static str,
        /// Bytes that are allowed.
        max: usize,
    },
    /// The request's body ended before it was complete.
    #[error("the body broke off")]
    BrokenBody,
}

impl ImageError {
    /// The status code that says whose turn it is to change something.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed { .. } | Self::BrokenBody => 400,
            Self::TooManyPixels { .. } | Self::TooManyBytes { .. } => 413,
            Self::Unsupported(_) => 415,
        }
    }

    /// What is wrong, in a few words.
    #[must_use]
    pub fn title(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "the picture is damaged",
            Self::Unsupported(_) => "the picture is of a kind that is not read here",
            Self::TooManyPixels { .. } | Self::TooManyBytes { .. } => "the picture is too large",
            Self::BrokenBody => "the body broke off",
        }
    }

    pub(crate) fn jpeg(what: &str) -> Self {
        Self::Malformed { format: "JPEG", what: what.to_owned() }
    }
}

/// Refuses a picture that has more pixels than its way of decoding allows.
pub(crate) fn check_pixels(format: &'static str, size: Size, max: u64) -> Result<(), ImageError> {
    let pixels = size.pixels();
    if pixels > max { Err(ImageError::TooManyPixels { format, pixels, max }) } else { Ok(()) }
}

/// A picture that was decoded whole.
#[derive(Debug)]
pub struct Whole {
    size: Size,
    channels: Channels,
    pixels: Vec<u8>,
    at: usize,
}

impl Whole {
    /// Takes all pixels; `None` where their number does not fit the size.
    #[must_use]
    pub fn new(size: Size, channels: Channels, pixels: Vec<u8>) -> Option<Self> {
        let expect = size.pixels().checked_mul(channels.count() as u64)?;
        (pixels.len() as u64 == expect).then_some(Self { size, channels, pixels, at: 0 })
    }
}

impl Rows for Whole {
    fn size(&self) -> Size {
        self.size
    }

    fn channels(&self) -> Channels {
        self.channels
    }

    fn next_row(&mut self, row: &mut [u8]) -> Result<(), ImageError> {
        let end = self.at + row.len();
        let source = self.pixels.get(self.at..end).ok_or(ImageError::BrokenBody)?;
        row.copy_from_slice(source);
        self.at = end;
        Ok(())
    }
}

/// The refusal of a result that has to be turned and is too large for that.
pub(crate) fn check_turned(size: Size) -> Result<(), ImageError> {
    check_pixels("turned", size, limit::TURNED_PIXELS_MAX)
}
