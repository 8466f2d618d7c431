//! How large a picture may become, and in which format.

use crate::encode::Format;
use crate::rows::Size;

/// The most pixels that can be asked for on a side.
pub const SIDE_MAX: u32 = 16_384;
/// The quality of a JPEG where none is given.
pub const QUALITY_DEFAULT: u8 = 80;

/// A size to fit into and a format to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// The result's width at most.
    pub width: Option<u32>,
    /// The result's height at most.
    pub height: Option<u32>,
    /// The result's format.
    pub format: Format,
}

impl Ask {
    /// The largest size with the picture's proportions that fits, and is no larger than the picture.
    #[must_use]
    pub fn fit(&self, size: Size) -> Size {
        let scale = |limit: Option<u32>, side: u32| limit.map_or(1.0, |limit| f64::from(limit) / f64::from(side));
        let scale = scale(self.width, size.width).min(scale(self.height, size.height)).min(1.0);
        let side = |side: u32| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most as large as before")]
            let scaled = (f64::from(side) * scale).round() as u32;
            scaled.clamp(1, side)
        };
        Size { width: side(size.width), height: side(size.height) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(width: Option<u32>, height: Option<u32>, from: (u32, u32), to: (u32, u32)) {
        let ask = Ask { width, height, format: Format::Png };
        let size = ask.fit(Size { width: from.0, height: from.1 });
        assert_eq!((size.width, size.height), to, "{ask:?}");
    }

    #[test]
    fn fits_inside_and_keeps_proportions() {
        fits(Some(600), None, (6000, 4000), (600, 400));
        fits(None, Some(400), (6000, 4000), (600, 400));
        fits(Some(600), Some(100), (6000, 4000), (150, 100));
        fits(Some(9999), None, (600, 400), (600, 400));
        fits(Some(1), None, (600, 40), (1, 1));
    }
}
