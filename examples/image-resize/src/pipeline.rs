//! The whole way: from a body and what is asked for to a reply.

use std::io::Read;

use guest_http::{Query, Reply};

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

/// Answers a request.
#[must_use]
pub fn answer(method: &str, path: &str, query: Query<'_>, body: impl Read) -> Reply {
    // `/resize` is for an app in which `/` is another component's.
    if path != "/" && path != "/resize" {
        return Reply::problem(404, "no such page", "post a picture to /?w=800");
    }
    if method != "POST" {
        return Reply::problem(405, "only POST is served here", "post a picture to /?w=800").with("allow", "POST");
    }
    let ask = match Ask::parse(query) {
        Ok(ask) => ask,
        Err(line) => return Reply::problem(400, "a parameter is wrong", &line),
    };
    match resize(body, &ask) {
        Ok(resized) => Reply {
            status: 200,
            content_type: resized.content_type,
            headers: vec![
                ("x-image-size", format!("{}x{}", resized.size.width, resized.size.height)),
                ("x-image-decoded", if resized.by_rows { "by rows" } else { "whole" }.to_owned()),
            ],
            body: resized.pieces,
        },
        Err(error) => Reply::problem(error.status(), title(&error), &error.to_string()),
    }
}

fn title(error: &ImageError) -> &'static str {
    match error {
        ImageError::Malformed { .. } => "the picture is damaged",
        ImageError::Unsupported(_) => "the picture is of a kind that is not read here",
        ImageError::TooManyPixels { .. } | ImageError::TooManyBytes { .. } => "the picture is too large",
        ImageError::BrokenBody => "the body broke off",
    }
}
