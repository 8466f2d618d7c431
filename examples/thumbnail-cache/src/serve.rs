//! `wasi:http/incoming-handler`.

use std::io::{Write, stderr};

use guest_http::{Body, Incoming, send};
use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use crate::answer::{Asked, World, answer};
use crate::ask::Thumbnail;
use crate::container::Container;
use crate::fetch::fetch;
use crate::shelf::ShelfError;
use crate::source::{Source, SourceError};

wasip2::http::proxy::export!(ThumbnailCache);

struct ThumbnailCache;

impl wasip2::exports::http::incoming_handler::Guest for ThumbnailCache {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let incoming = Incoming::new(request);
        let accept = incoming.header("accept");
        let asked = Asked {
            method: &incoming.method(),
            path: incoming.path(),
            query: incoming.query(),
            accept: accept.as_deref(),
        };
        send(out, &answer(&asked, &Host));
    }
}

/// The world as the manifest grants it.
struct Host;

impl World for Host {
    type Shelf = Container;
    type Body = Body;

    fn shelf(&self) -> Result<Container, ShelfError> {
        Container::open()
    }

    fn fetch(&self, thumbnail: &Thumbnail<'_>) -> Result<Source<Body>, SourceError> {
        fetch(thumbnail)
    }

    fn log(&self, line: &str) {
        // A log that cannot be written to is nobody's to hear of.
        drop(writeln!(stderr(), "{line}"));
    }
}
