//! What a request asks for, out of its query.

use guest_http::Query;

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
    /// Reads a query: `w`, `h`, `format`, `quality`.
    ///
    /// # Errors
    /// One line that says what to change.
    pub fn parse(query: Query<'_>) -> Result<Self, String> {
        if let Some(name) = query.names().find(|name| !["w", "h", "format", "quality"].contains(&name.as_str())) {
            return Err(format!("there is no parameter {name:?}; there are w, h, format and quality"));
        }
        let side = |name: &str| query.get(name).map(|value| number(name, &value, SIDE_MAX)).transpose();
        let (width, height) = (side("w")?, side("h")?);
        if width.is_none() && height.is_none() {
            return Err("say how large the picture may be: ?w=800, ?h=600, or both".to_owned());
        }
        let quality = query.get("quality").map(|value| number("quality", &value, 100)).transpose()?;
        let quality = quality.and_then(|quality| u8::try_from(quality).ok());
        let format = match query.get("format").as_deref() {
            None | Some("jpeg" | "jpg") => Format::Jpeg(quality.unwrap_or(QUALITY_DEFAULT)),
            Some("png") if quality.is_some() => return Err("PNG has no quality: leave it out".to_owned()),
            Some("png") => Format::Png,
            Some(other) => return Err(format!("format is {other:?}; it can be jpeg or png")),
        };
        Ok(Self { width, height, format })
    }

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

fn number(name: &str, value: &str, max: u32) -> Result<u32, String> {
    let number = value.parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| format!("{name} is {value:?}; it can be a whole number from 1 to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(query: &str, from: (u32, u32), to: (u32, u32)) {
        let size = Ask::parse(Query::new(query)).unwrap().fit(Size { width: from.0, height: from.1 });
        assert_eq!((size.width, size.height), to, "{query}");
    }

    #[test]
    fn fits_inside_and_keeps_proportions() {
        fits("w=600", (6000, 4000), (600, 400));
        fits("h=400", (6000, 4000), (600, 400));
        fits("w=600&h=100", (6000, 4000), (150, 100));
        fits("w=9999", (600, 400), (600, 400));
        fits("w=1", (600, 40), (1, 1));
    }

    #[test]
    fn refuses_with_a_line_that_says_what_to_change() {
        for (query, expect) in [
            ("", "say how large"),
            ("w=0", "from 1 to 16384"),
            ("w=-1", "from 1 to 16384"),
            ("w=20000", "from 1 to 16384"),
            ("w=1&quality=101", "from 1 to 100"),
            ("w=1&format=gif", "jpeg or png"),
            ("w=1&format=png&quality=3", "PNG has no quality"),
            ("width=3", "no parameter \"width\""),
        ] {
            let line = Ask::parse(Query::new(query)).unwrap_err();
            assert!(line.contains(expect), "{query}: {line}");
        }
    }

    #[test]
    fn formats() {
        let format = |query| Ask::parse(Query::new(query)).unwrap().format;
        assert_eq!(format("w=1"), Format::Jpeg(QUALITY_DEFAULT));
        assert_eq!(format("w=1&format=jpg&quality=1"), Format::Jpeg(1));
        assert_eq!(format("w=1&format=png"), Format::Png);
    }
}
