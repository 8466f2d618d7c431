//! The picture itself: units of blocks from left to right, then rows of pixels out of them.

use std::io::Read;

use super::bits::Bits;
use super::block::{Block, Tables};
use super::header::Header;
use super::{colour, idct};
use crate::input::Input;
use crate::rows::{Channels, ImageError, Rows, Size};

/// A component's samples in the current row of units.
#[derive(Debug)]
struct Plane {
    tables: Tables,
    across: usize,
    down: usize,
    /// The first coefficient of the block before.
    previous: i32,
    samples: Vec<u8>,
    stride: usize,
    /// Samples in a row that belong to the picture.
    width: usize,
    /// The row of pixels in hand, widened to the picture's width.
    row: Vec<u8>,
}

/// A baseline picture that is decoded as its rows are asked for.
#[derive(Debug)]
pub struct Scan<R> {
    bits: Bits<R>,
    size: Size,
    planes: Vec<Plane>,
    is_rgb: bool,
    /// Pixels of a unit of the scan, across and down.
    unit: (usize, usize),
    restart: usize,
    units_done: usize,
    /// The next row of pixels within the current row of units.
    next: usize,
    block: Block,
}

impl<R: Read> Scan<R> {
    /// Goes on from a header whose kind is [`super::Kind::Rows`].
    ///
    /// # Errors
    /// When a table is missing, or samplings do not divide each other.
    pub fn new(header: &Header, input: Input<R>) -> Result<Self, ImageError> {
        let across = header.components.iter().map(|component| component.across).max().unwrap_or(1);
        let down = header.components.iter().map(|component| component.down).max().unwrap_or(1);
        let units = header.size.columns().div_ceil(8 * across);
        let mut planes = Vec::with_capacity(header.components.len());
        for component in &header.components {
            if across % component.across != 0 || down % component.down != 0 {
                return Err(ImageError::Unsupported(
                    "this JPEG samples its components in ways that do not divide each other; send a common one",
                ));
            }
            let missing = || ImageError::jpeg("a table that its scan names is missing");
            let stride = units * component.across * 8;
            planes.push(Plane {
                tables: Tables {
                    dc: header.dc.get(component.dc).cloned().flatten().ok_or_else(missing)?,
                    ac: header.ac.get(component.ac).cloned().flatten().ok_or_else(missing)?,
                    factors: header.quantisation.get(component.quantisation).copied().flatten().ok_or_else(missing)?,
                },
                across: component.across,
                down: component.down,
                previous: 0,
                samples: vec![0; stride * component.down * 8],
                stride,
                width: (header.size.columns() * component.across).div_ceil(across),
                row: vec![0; header.size.columns().next_multiple_of(across)],
            });
        }
        Ok(Self {
            bits: Bits::new(input),
            size: header.size,
            planes,
            is_rgb: header.is_rgb,
            unit: (across * 8, down * 8),
            restart: header.restart,
            units_done: 0,
            next: down * 8,
            block: Block::new(),
        })
    }

    fn decode_units(&mut self) -> Result<(), ImageError> {
        for column in 0..self.size.columns().div_ceil(self.unit.0) {
            if self.restart > 0 && self.units_done > 0 && self.units_done.is_multiple_of(self.restart) {
                let number = (self.units_done / self.restart - 1) % 8;
                self.bits.restart(u8::try_from(number).unwrap_or(0))?;
                self.planes.iter_mut().for_each(|plane| plane.previous = 0);
            }
            for plane in &mut self.planes {
                for place in 0..plane.across * plane.down {
                    let (x, y) = (column * plane.across + place % plane.across, place / plane.across);
                    self.block.decode(&mut self.bits, &plane.tables, &mut plane.previous)?;
                    let at = y * 8 * plane.stride + x * 8;
                    idct::inverse(&self.block, plane.samples.get_mut(at..).unwrap_or_default(), plane.stride);
                }
            }
            self.units_done += 1;
        }
        Ok(())
    }
}

impl Plane {
    /// The samples of a row of pixels within the current row of units, as wide as the picture.
    fn widen(&mut self, row: usize, unit: (usize, usize)) {
        let at = row * self.down * 8 / unit.1 * self.stride;
        let samples = self.samples.get(at..at + self.width).unwrap_or_default();
        colour::widen(samples, unit.0 / (self.across * 8), &mut self.row);
    }
}

impl<R: Read> Rows for Scan<R> {
    fn size(&self) -> Size {
        self.size
    }

    fn channels(&self) -> Channels {
        Channels::Rgb
    }

    fn next_row(&mut self, row: &mut [u8]) -> Result<(), ImageError> {
        if self.next == self.unit.1 {
            self.decode_units()?;
            self.next = 0;
        }
        for plane in &mut self.planes {
            plane.widen(self.next, self.unit);
        }
        self.next += 1;
        match self.planes.as_slice() {
            [grey] => colour::interleave(&grey.row, &grey.row, &grey.row, row),
            [red, green, blue] if self.is_rgb => colour::interleave(&red.row, &green.row, &blue.row, row),
            [y, cb, cr] => colour::to_rgb(&y.row, &cb.row, &cr.row, row),
            _ => return Err(ImageError::jpeg("it has a number of components that nobody uses")),
        }
        Ok(())
    }
}
