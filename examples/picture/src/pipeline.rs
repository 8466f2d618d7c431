//! The whole way: from a file and what is asked for to a smaller file.

use std::io::Read;

use crate::ask::Ask;
use crate::encode::encode;
use crate::open::open;
use crate::orient::{turn, turned};
use crate::resize::Resize;
use crate::rows::{ImageError, Rows, Size};

/// A result, ready to be sent.
#[derive(Debug)]
pub struct Resized {
    /// Its size.
    pub size: Size,
    /// The media type.
    pub content_type: &'static str,
    /// The file, in pieces.
    pub pieces: Vec<Vec<u8>>,
    /// Whether the picture was decoded by rows, or had to be decoded whole.
    pub by_rows: bool,
}

/// Makes a picture smaller.
///
/// # Errors
/// When the body is no picture that can be decoded within the limits.
pub fn resize(body: impl Read, ask: &Ask) -> Result<Resized, ImageError> {
    let picture = open(body)?;
    let (by_rows, orientation) = (picture.by_rows, picture.orientation);
    // The size that is asked for is that of the picture once it stands upright.
    let size = ask.fit(turned(picture.rows.size(), orientation));
    let rows = Resize::new(picture.rows, turned(size, orientation));
    let pieces = if orientation.is_upright() {
        encode(rows, ask.format)?
    } else {
        let upright = turn(rows, orientation)?;
        debug_assert_eq!(upright.size(), size, "turning back and forth gives the same size");
        encode(upright, ask.format)?
    };
    Ok(Resized { size, content_type: ask.format.content_type(), pieces, by_rows })
}
