//! Makes a picture smaller while it streams by: a triangle filter, across each row as it arrives, then down the columns
//! over the few narrow rows that one row of the result needs.

use std::collections::VecDeque;

use crate::rows::{Channels, ImageError, Rows, Size};

/// Which places of the source one place of the result is mixed from.
#[derive(Debug, Clone, PartialEq)]
struct Mix {
    first: usize,
    weights: Vec<f32>,
}

/// The mixes of all places along one side.
fn mixes(from: u32, to: u32) -> Vec<Mix> {
    let scale = f64::from(from) / f64::from(to);
    let reach = scale.max(1.0);
    let last = f64::from(from - 1);
    (0..to)
        .map(|place| {
            let centre = (f64::from(place) + 0.5) * scale - 0.5;
            let first = (centre - reach).ceil().clamp(0.0, last);
            let end = (centre + reach).floor().clamp(first, last);
            let weight = |at: f64| (1.0 - (at - centre).abs() / reach).max(0.0);
            let count = index(end - first) + 1;
            let raw: Vec<f64> = (0_u32..).take(count).map(|step| weight(first + f64::from(step))).collect();
            let sum: f64 = raw.iter().sum();
            #[expect(clippy::cast_possible_truncation, reason = "a weight needs no more than seven digits")]
            let weights = raw.iter().map(|weight| (weight / sum) as f32).collect();
            Mix { first: index(first), weights }
        })
        .collect()
}

fn index(place: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to 2^32")]
    {
        place as usize
    }
}

/// A smaller picture, made out of a larger one row by row.
#[derive(Debug)]
pub struct Resize<R> {
    rows: R,
    size: Size,
    across: Vec<Mix>,
    down: std::vec::IntoIter<Mix>,
    /// Rows of the source that are already narrow, the first of them being row `first`.
    narrow: VecDeque<Vec<f32>>,
    first: usize,
    spare: Vec<Vec<f32>>,
    row: Vec<u8>,
    wide: Vec<f32>,
    mixed: Vec<f32>,
}

impl<R: Rows> Resize<R> {
    /// Wraps a picture. The new size is at most the old one on either side.
    #[must_use]
    pub fn new(rows: R, size: Size) -> Self {
        let (from, channels) = (rows.size(), rows.channels().count());
        let size = Size { width: size.width.clamp(1, from.width), height: size.height.clamp(1, from.height) };
        Self {
            size,
            across: mixes(from.width, size.width),
            down: mixes(from.height, size.height).into_iter(),
            narrow: VecDeque::new(),
            first: 0,
            spare: Vec::new(),
            row: vec![0; from.columns() * channels],
            wide: vec![0.0; from.columns() * channels],
            mixed: vec![0.0; size.columns() * channels],
            rows,
        }
    }

    fn read_narrow(&mut self) -> Result<(), ImageError> {
        self.rows.next_row(&mut self.row)?;
        for (wide, byte) in self.wide.iter_mut().zip(&self.row) {
            *wide = f32::from(*byte);
        }
        let mut narrow = self.spare.pop().unwrap_or_else(|| vec![0.0; self.mixed.len()]);
        match self.rows.channels() {
            Channels::Rgb => shrink::<3>(&self.wide, &self.across, &mut narrow),
            Channels::Rgba => {
                // What is not seen must not shine through: colours count as much as they cover.
                for pixel in self.wide.as_chunks_mut::<4>().0 {
                    let [colours @ .., alpha] = pixel;
                    colours.iter_mut().for_each(|colour| *colour *= *alpha / 255.0);
                }
                shrink::<4>(&self.wide, &self.across, &mut narrow);
            }
        }
        self.narrow.push_back(narrow);
        Ok(())
    }
}

/// Mixes a row of pixels into a narrower one.
#[inline]
fn shrink<const CHANNELS: usize>(wide: &[f32], across: &[Mix], narrow: &mut [f32]) {
    let wide = wide.as_chunks::<CHANNELS>().0;
    for (place, mix) in narrow.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(across) {
        let mut sum = [0.0; CHANNELS];
        for (pixel, weight) in wide.iter().skip(mix.first).zip(&mix.weights) {
            for (sum, value) in sum.iter_mut().zip(pixel) {
                *sum += value * weight;
            }
        }
        *place = sum;
    }
}

impl<R: Rows> Rows for Resize<R> {
    fn size(&self) -> Size {
        self.size
    }

    fn channels(&self) -> Channels {
        self.rows.channels()
    }

    fn next_row(&mut self, row: &mut [u8]) -> Result<(), ImageError> {
        // There is a mix for each row of the result; to ask for more is to ask for the end.
        let mix = self.down.next().ok_or(ImageError::BrokenBody)?;
        while self.first < mix.first {
            match self.narrow.pop_front() {
                Some(narrow) => self.spare.push(narrow),
                None => self.rows.next_row(&mut self.row)?,
            }
            self.first += 1;
        }
        while self.narrow.len() < mix.weights.len() {
            self.read_narrow()?;
        }
        self.mixed.fill(0.0);
        for (narrow, weight) in self.narrow.iter().zip(&mix.weights) {
            for (mixed, value) in self.mixed.iter_mut().zip(narrow) {
                *mixed += value * weight;
            }
        }
        if self.rows.channels() == Channels::Rgba {
            for pixel in self.mixed.as_chunks_mut::<4>().0 {
                let [colours @ .., alpha] = pixel;
                let cover = if *alpha > 0.0 { 255.0 / *alpha } else { 0.0 };
                colours.iter_mut().for_each(|colour| *colour *= cover);
            }
        }
        for (byte, mixed) in row.iter_mut().zip(&self.mixed) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte's range")]
            {
                *byte = (mixed + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Whole;

    fn resized(from: Size, channels: Channels, pixels: Vec<u8>, to: Size) -> Vec<u8> {
        let mut resize = Resize::new(Whole::new(from, channels, pixels).unwrap(), to);
        let size = resize.size();
        let mut all = vec![0; size.columns() * size.height as usize * channels.count()];
        for row in all.chunks_exact_mut(size.columns() * channels.count()) {
            resize.next_row(row).unwrap();
        }
        all
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let size = Size { width: 5, height: 4 };
        let pixels: Vec<u8> = (0..60_u8).map(|at| at.wrapping_mul(37)).collect();
        assert_eq!(resized(size, Channels::Rgb, pixels.clone(), size), pixels);
    }

    #[test]
    fn larger_than_before_is_the_same_size() {
        let size = Size { width: 2, height: 1 };
        assert_eq!(resized(size, Channels::Rgb, vec![9; 6], Size { width: 4, height: 2 }), vec![9; 6]);
    }

    #[test]
    fn what_is_not_seen_does_not_shine_through() {
        let pixels = vec![200, 10, 0, 255, 0, 255, 255, 0];
        let half = resized(Size { width: 2, height: 1 }, Channels::Rgba, pixels, Size { width: 1, height: 1 });
        assert_eq!(half, [200, 10, 0, 128]);
    }

    proptest::proptest! {
        #[test]
        fn one_colour_stays_that_colour(
            (width, height) in (1..90_u32, 1..90_u32), (to_width, to_height) in (1..90_u32, 1..90_u32), colour in 0..=255_u8,
        ) {
            let from = Size { width, height };
            let pixels = vec![colour; from.columns() * height as usize * 3];
            let to = resized(from, Channels::Rgb, pixels, Size { width: to_width, height: to_height });
            proptest::prop_assert!(to.iter().all(|byte| *byte == colour));
        }

        #[test]
        fn brightness_is_kept(pixels in proptest::collection::vec(0..=255_u8, 64 * 3)) {
            let mean = |bytes: &[u8]| bytes.iter().map(|byte| f64::from(*byte)).sum::<f64>() / bytes.len() as f64;
            let eighth = resized(Size { width: 64, height: 1 }, Channels::Rgb, pixels.clone(), Size { width: 8, height: 1 });
            proptest::prop_assert!((mean(&eighth) - mean(&pixels)).abs() < 12.0);
        }
    }
}
