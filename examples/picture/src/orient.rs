//! Turns a result the right way up.

use crate::exif::Orientation;
use crate::rows::{Channels, ImageError, Rows, Size, Whole, check_turned};

/// The size that a picture has once it is turned, or that it had before.
#[must_use]
pub fn turned(size: Size, orientation: Orientation) -> Size {
    if orientation.transposed { Size { width: size.height, height: size.width } } else { size }
}

/// Reads all rows and hands them out the right way up.
///
/// # Errors
/// When the rows cannot be read, or are too many to be held.
pub fn turn(mut rows: impl Rows, orientation: Orientation) -> Result<Whole, ImageError> {
    let (from, channels) = (rows.size(), rows.channels());
    check_turned(from)?;
    let to = turned(from, orientation);
    let count = channels.count();
    let mut pixels = vec![0; from.columns() * from.height as usize * count];
    let mut row = vec![0; from.columns() * count];
    for y in 0..from.height as usize {
        rows.next_row(&mut row)?;
        for (x, pixel) in row.chunks_exact(count).enumerate() {
            let at = place(x, y, to, orientation) * count;
            if let Some(room) = pixels.get_mut(at..at + count) {
                room.copy_from_slice(pixel);
            }
        }
    }
    Whole::new(to, channels, pixels).ok_or(ImageError::BrokenBody)
}

/// Where the file's pixel at `x`, `y` stands in the picture.
fn place(x: usize, y: usize, to: Size, orientation: Orientation) -> usize {
    let (x, y) = if orientation.transposed { (y, x) } else { (x, y) };
    let x = if orientation.mirrored { to.columns() - 1 - x } else { x };
    let y = if orientation.flipped { to.height as usize - 1 - y } else { y };
    y * to.columns() + x
}

/// A picture with another shape of pixel: opacity is dropped onto white.
#[derive(Debug)]
pub struct OnWhite<R> {
    rows: R,
    row: Vec<u8>,
}

impl<R: Rows> OnWhite<R> {
    /// Wraps a picture, with or without opacity.
    #[must_use]
    pub fn new(rows: R) -> Self {
        let row = vec![0; rows.size().columns() * rows.channels().count()];
        Self { rows, row }
    }
}

impl<R: Rows> Rows for OnWhite<R> {
    fn size(&self) -> Size {
        self.rows.size()
    }

    fn channels(&self) -> Channels {
        Channels::Rgb
    }

    fn next_row(&mut self, row: &mut [u8]) -> Result<(), ImageError> {
        if self.rows.channels() == Channels::Rgb {
            return self.rows.next_row(row);
        }
        self.rows.next_row(&mut self.row)?;
        for (to, from) in row.chunks_exact_mut(3).zip(self.row.chunks_exact(4)) {
            let [red, green, blue, alpha] =
                [0, 1, 2, 3].map(|channel| u16::from(from.get(channel).copied().unwrap_or(0)));
            for (to, colour) in to.iter_mut().zip([red, green, blue]) {
                let mixed = (colour * alpha + 255 * (255 - alpha) + 127) / 255;
                *to = u8::try_from(mixed).unwrap_or(u8::MAX);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture of 3 by 2 whose pixels are numbered from 1, turned; rows are written one after the other.
    fn turns(orientation: Orientation, expect: &[u8]) {
        let size = Size { width: 3, height: 2 };
        let pixels = (1..=6_u8).flat_map(|number| [number; 3]).collect();
        let mut whole = turn(Whole::new(size, Channels::Rgb, pixels).unwrap(), orientation).unwrap();
        let mut seen: Vec<u8> = Vec::new();
        let mut row = vec![0; whole.size().columns() * 3];
        for _ in 0..whole.size().height {
            whole.next_row(&mut row).unwrap();
            seen.extend(row.iter().step_by(3));
        }
        assert_eq!(seen, expect, "{orientation:?}");
    }

    #[test]
    fn all_eight() {
        let cases: [(bool, bool, bool, [u8; 6]); 8] = [
            (false, false, false, [1, 2, 3, 4, 5, 6]),
            (false, true, false, [3, 2, 1, 6, 5, 4]),
            (false, true, true, [6, 5, 4, 3, 2, 1]),
            (false, false, true, [4, 5, 6, 1, 2, 3]),
            (true, false, false, [1, 4, 2, 5, 3, 6]),
            (true, true, false, [4, 1, 5, 2, 6, 3]),
            (true, true, true, [6, 3, 5, 2, 4, 1]),
            (true, false, true, [3, 6, 2, 5, 1, 4]),
        ];
        for (transposed, mirrored, flipped, expect) in cases {
            turns(Orientation { transposed, mirrored, flipped }, &expect);
        }
    }

    #[test]
    fn opacity_falls_onto_white() {
        let size = Size { width: 2, height: 1 };
        let whole = Whole::new(size, Channels::Rgba, vec![10, 20, 30, 0, 10, 20, 30, 255]).unwrap();
        let mut row = [0; 6];
        OnWhite::new(whole).next_row(&mut row).unwrap();
        assert_eq!(row, [255, 255, 255, 10, 20, 30]);
    }
}
