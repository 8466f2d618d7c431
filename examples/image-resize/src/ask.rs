//! What a request asks for, out of its query.

use guest_http::Query;
use picture::ask::{Ask, QUALITY_DEFAULT, SIDE_MAX};
use picture::encode::Format;

/// Reads a query: `w`, `h`, `format`, `quality`.
///
/// # Errors
/// One line that says what to change.
pub fn parse(query: Query<'_>) -> Result<Ask, String> {
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
    Ok(Ask { width, height, format })
}

fn number(name: &str, value: &str, max: u32) -> Result<u32, String> {
    let number = value.parse().ok().filter(|number| (1..=max).contains(number));
    number.ok_or_else(|| format!("{name} is {value:?}; it can be a whole number from 1 to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let line = parse(Query::new(query)).unwrap_err();
            assert!(line.contains(expect), "{query}: {line}");
        }
    }

    #[test]
    fn formats() {
        let format = |query| parse(Query::new(query)).unwrap().format;
        assert_eq!(format("w=1"), Format::Jpeg(QUALITY_DEFAULT));
        assert_eq!(format("w=1&format=jpg&quality=1"), Format::Jpeg(1));
        assert_eq!(format("w=1&format=png"), Format::Png);
    }
}
