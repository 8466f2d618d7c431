//! From a request to a reply.

use std::io::Read;

use guest_http::{Query, Reader, Reply};
use picture::ask::{Ask, QUALITY_DEFAULT};
use picture::encode::Format;
use picture::pipeline::resize;
use picture::rows::ImageError;

use crate::ask::{AskError, Parameters, Thumbnail};
use crate::shelf::{Shelf, ShelfError};
use crate::source::{Bounded, SOURCE_BYTES_MAX, Source, SourceError};

/// All thumbnails are JPEGs, whatever their pictures are.
const FORMAT: Format = Format::Jpeg(QUALITY_DEFAULT);

/// What a request brings along, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The method, by its name.
    pub method: &'r str,
    /// The path.
    pub path: &'r str,
    /// The query.
    pub query: Query<'r>,
    /// The value of `accept`.
    pub accept: Option<&'r str>,
}

/// What the app needs from outside.
pub trait World {
    /// A store for thumbnails.
    type Shelf: Shelf;
    /// The body of a picture.
    type Body: Read;

    /// Opens the store.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn shelf(&self) -> Result<Self::Shelf, ShelfError>;

    /// Fetches a picture.
    ///
    /// # Errors
    /// When there is no response.
    fn fetch(&self, thumbnail: &Thumbnail<'_>) -> Result<Source<Self::Body>, SourceError>;

    /// Tells the operator of a failure.
    fn log(&self, line: &str);
}

/// Why a request gets none of the replies that it hoped for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("ask for /?url=URL&width=PIXELS")]
    Page,
    #[error("there are GET, HEAD and DELETE")]
    Method,
    #[error(transparent)]
    Ask(AskError),
    #[error(transparent)]
    Shelf(ShelfError),
    #[error("grant it in cumulet.toml, under [component.thumbnail-cache.grant]: http = [\"{0}\"]")]
    Denied(String),
    #[error("{0}")]
    Source(String),
    #[error("its server answered {0}")]
    Status(u16),
    #[error(transparent)]
    Image(ImageError),
}

/// Answers a request.
#[must_use]
pub fn answer(asked: &Asked<'_>, world: &impl World) -> Reply {
    route(asked, world).unwrap_or_else(|refusal| {
        if let Refusal::Shelf(error) = &refusal {
            world.log(&error.to_string());
        }
        refuse(&refusal, Reader::of(asked.accept))
    })
}

fn route(asked: &Asked<'_>, world: &impl World) -> Result<Reply, Refusal> {
    if asked.path != "/" {
        return Err(Refusal::Page);
    }
    let parameters = Parameters::new(asked.query);
    let thumbnail = || parameters.thumbnail().map_err(Refusal::Ask);
    match asked.method {
        "GET" | "HEAD" => show(&thumbnail()?, world),
        "DELETE" => forget(&thumbnail()?, world),
        _ => Err(Refusal::Method),
    }
}

fn show(thumbnail: &Thumbnail<'_>, world: &impl World) -> Result<Reply, Refusal> {
    let (shelf, name) = (world.shelf().map_err(Refusal::Shelf)?, thumbnail.name());
    if let Some(kept) = shelf.get(&name).map_err(Refusal::Shelf)? {
        return Ok(Reply::new(200, FORMAT.content_type(), kept).with("x-cache", "hit"));
    }
    let pieces = make(thumbnail, world)?;
    // Whoever waits for a thumbnail gets it, even if the next one will have to wait again.
    if let Err(error) = shelf.put(&name, &pieces) {
        world.log(&error.to_string());
    }
    let headers = vec![("x-cache", "miss".to_owned())];
    Ok(Reply { status: 200, content_type: FORMAT.content_type(), headers, body: pieces })
}

/// Fetches a picture and makes it smaller while it arrives.
fn make(thumbnail: &Thumbnail<'_>, world: &impl World) -> Result<Vec<Vec<u8>>, Refusal> {
    let source = world.fetch(thumbnail).map_err(|error| match error {
        SourceError::Denied => Refusal::Denied(thumbnail.url.origin()),
        SourceError::Failed(why) => Refusal::Source(why),
    })?;
    if source.status != 200 {
        return Err(Refusal::Status(source.status));
    }
    let mut body = Bounded::new(source.body, SOURCE_BYTES_MAX);
    let ask = Ask { width: Some(thumbnail.width), height: None, format: FORMAT };
    let resized = resize(&mut body, &ask);
    if body.is_passed() {
        let max = usize::try_from(SOURCE_BYTES_MAX).unwrap_or(usize::MAX);
        return Err(Refusal::Image(ImageError::TooManyBytes { what: "a picture", max }));
    }
    resized.map(|resized| resized.pieces).map_err(Refusal::Image)
}

fn forget(thumbnail: &Thumbnail<'_>, world: &impl World) -> Result<Reply, Refusal> {
    let shelf = world.shelf().map_err(Refusal::Shelf)?;
    shelf.delete(&thumbnail.name()).map_err(Refusal::Shelf)?;
    Ok(Reply::new(200, "text/plain; charset=utf-8", "forgotten\n"))
}

fn refuse(refusal: &Refusal, reader: Reader) -> Reply {
    let (status, title) = match refusal {
        Refusal::Page => (404, "no such page"),
        Refusal::Method => {
            return reader.problem(405, "no such method", &refusal.to_string()).with("allow", "GET, HEAD, DELETE");
        }
        Refusal::Ask(_) => (400, "a parameter is missing or wrong"),
        Refusal::Shelf(ShelfError::Closed(_)) => {
            return reader.problem(
                503,
                "the store cannot be opened",
                "grant it in cumulet.toml, under [component.thumbnail-cache.grant]: blobstore = [\"thumbnails\"]",
            );
        }
        Refusal::Shelf(ShelfError::Failed(_)) => {
            return reader.problem(503, "the store does not answer", "try again a little later");
        }
        Refusal::Denied(_) => (403, "the picture's origin is not granted"),
        Refusal::Source(_) | Refusal::Status(_) => (502, "the picture cannot be had"),
        // A damaged picture is its server's doing, and not that of whoever asks for it.
        Refusal::Image(error @ (ImageError::Malformed { .. } | ImageError::BrokenBody)) => (502, error.title()),
        Refusal::Image(error) => (error.status(), error.title()),
    };
    reader.problem(status, title, &refusal.to_string())
}
