//! Requests against a store and a picture's server in memory.
#![expect(clippy::unwrap_used, reason = "a store for tests, of which everything is known")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Read};

use guest_http::{Query, Reply};
use thumbnail_cache::answer::{Asked, World, answer};
use thumbnail_cache::ask::Thumbnail;
use thumbnail_cache::shelf::{Shelf, ShelfError};
use thumbnail_cache::source::{Source, SourceError};

#[derive(Default)]
struct Memory {
    kept: RefCell<BTreeMap<String, Vec<u8>>>,
    fetched: RefCell<Vec<String>>,
    logged: RefCell<Vec<String>>,
    closed: bool,
    full: bool,
}

impl Shelf for &Memory {
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ShelfError> {
        Ok(self.kept.borrow().get(name).cloned())
    }

    fn put(&self, name: &str, pieces: &[Vec<u8>]) -> Result<(), ShelfError> {
        if self.full {
            return Err(ShelfError::Failed("no room".to_owned()));
        }
        self.kept.borrow_mut().insert(name.to_owned(), pieces.concat());
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<(), ShelfError> {
        self.kept.borrow_mut().remove(name);
        Ok(())
    }
}

impl<'m> World for &'m Memory {
    type Shelf = &'m Memory;
    type Body = Box<dyn Read>;

    fn shelf(&self) -> Result<Self::Shelf, ShelfError> {
        if self.closed { Err(ShelfError::Closed("denied".to_owned())) } else { Ok(self) }
    }

    fn fetch(&self, thumbnail: &Thumbnail<'_>) -> Result<Source<Self::Body>, SourceError> {
        let path = thumbnail.url.path_and_query();
        self.fetched.borrow_mut().push(path.clone());
        if thumbnail.url.authority() != "pictures.example" {
            return Err(SourceError::Denied);
        }
        let data = format!("{}/../image-resize/data{path}", env!("CARGO_MANIFEST_DIR"));
        let body: Box<dyn Read> = match path.as_str() {
            "/slow.jpg" => return Err(SourceError::Failed("it took too long".to_owned())),
            "/text.jpg" => Box::new(&b"no picture at all"[..]),
            "/half.jpg" => Box::new(std::fs::File::open(data.replace("half", "harbour")).unwrap().take(9_000)),
            "/commented.jpg" => Box::new(io::Cursor::new(commented())),
            "/heavy.png" => Box::new(io::Cursor::new(heavy())),
            // A WebP is read whole, up to 8 MiB.
            "/vast.webp" => Box::new((&b"RIFF\xff\xff\xff\x7fWEBP"[..]).chain(io::repeat(0))),
            _ => match std::fs::File::open(data) {
                Ok(file) => Box::new(file),
                Err(_) => return Ok(Source { status: 404, body: Box::new(io::empty()) }),
            },
        };
        Ok(Source { status: 200, body })
    }

    fn log(&self, line: &str) {
        self.logged.borrow_mut().push(line.to_owned());
    }
}

/// A JPEG with 2.5 MiB of comments before its picture.
fn commented() -> Vec<u8> {
    let comment = [&[0xff, 0xfe, 0xff, 0xff], [0; 65_533].as_slice()].concat();
    [&[0xff, 0xd8], comment.repeat(40).as_slice()].concat()
}

/// A PNG of few pixels and many bytes: 17 MB.
fn heavy() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 2400, 2400);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::NoCompression);
    encoder.write_header().unwrap().write_image_data(&vec![7; 2400 * 2400 * 3]).unwrap();
    file
}

fn ask(world: &Memory, method: &str, target: &str) -> Reply {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    answer(&Asked { method, path, query: Query::new(query), accept: None }, &world)
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

const HARBOUR: &str = "/?url=http://pictures.example/harbour.jpg&width=160";

#[test]
fn a_thumbnail_is_made_once_and_then_kept_until_it_is_forgotten() {
    let world = Memory::default();
    let made = ask(&world, "GET", HARBOUR);
    assert_eq!((made.status, made.content_type, header(&made, "x-cache")), (200, "image/jpeg", Some("miss")));
    let kept = ask(&world, "GET", HARBOUR);
    assert_eq!((kept.status, kept.content_type, header(&kept, "x-cache")), (200, "image/jpeg", Some("hit")));
    assert_eq!(made.body.concat(), kept.body.concat());
    assert_eq!(world.fetched.borrow().len(), 1);
    assert_eq!(header(&ask(&world, "GET", &HARBOUR.replace("160", "80")), "x-cache"), Some("miss"));
    assert_eq!(world.kept.borrow().len(), 2);
    for _ in 0..2 {
        assert_eq!(ask(&world, "DELETE", HARBOUR).status, 200);
    }
    assert_eq!(world.kept.borrow().len(), 1);
    assert_eq!(header(&ask(&world, "GET", HARBOUR), "x-cache"), Some("miss"));
}

#[test]
fn every_kind_of_picture_becomes_a_jpeg_of_that_width() {
    let world = Memory::default();
    for name in ["harbour.jpg", "harbour-progressive.jpg", "badge.png"] {
        let reply = ask(&world, "GET", &format!("/?url=http://pictures.example/{name}&width=48"));
        let picture = reply.body.concat();
        let size = picture::open::open(picture.as_slice()).unwrap().rows.size();
        assert_eq!((reply.status, size.width), (200, 48), "{name}");
    }
}

#[test]
fn refusals() {
    for (method, target, status, says) in [
        ("GET", "/x", 404, "ask for"),
        ("POST", HARBOUR, 405, "DELETE"),
        ("GET", "/", 400, "ask for /?url=URL&width=PIXELS"),
        ("GET", "/?url=http://pictures.example/harbour.jpg&width=5000", 400, "from 1 to 1024"),
        ("GET", "/?url=gopher://pictures.example/&width=1", 400, "http"),
        ("GET", "/?url=https://other.example:8443/a.jpg&width=1", 403, "http = [\\\"https://other.example:8443\\\"]"),
        ("GET", "/?url=http://pictures.example/none.jpg&width=1", 502, "its server answered 404"),
        ("GET", "/?url=http://pictures.example/slow.jpg&width=1", 502, "it took too long"),
        ("GET", "/?url=http://pictures.example/half.jpg&width=1", 502, "cut short"),
        ("GET", "/?url=http://pictures.example/text.jpg&width=1", 415, "not a JPEG, PNG or WebP"),
        ("GET", "/?url=http://pictures.example/commented.jpg&width=1", 413, "2097152 bytes at most"),
        ("GET", "/?url=http://pictures.example/heavy.png&width=1", 413, "16777216 bytes at most"),
        ("GET", "/?url=http://pictures.example/vast.webp&width=1", 413, "8388608 bytes at most"),
    ] {
        let world = Memory::default();
        let reply = ask(&world, method, target);
        let detail = String::from_utf8(reply.body.concat()).unwrap();
        assert!(reply.status == status && detail.contains(says), "{method} {target}: {} {detail}", reply.status);
        assert!(world.kept.borrow().is_empty(), "{target}");
    }
}

#[test]
fn a_store_that_is_not_granted_is_said_so_before_anything_is_fetched() {
    let world = Memory { closed: true, ..Memory::default() };
    let reply = ask(&world, "GET", HARBOUR);
    assert_eq!(reply.status, 503);
    assert!(String::from_utf8(reply.body.concat()).unwrap().contains("blobstore = [\\\"thumbnails\\\"]"));
    assert!(world.fetched.borrow().is_empty());
    assert_eq!(*world.logged.borrow(), ["the container cannot be opened: denied"]);
}

#[test]
fn a_store_without_room_does_not_keep_anybody_from_a_thumbnail() {
    let world = Memory { full: true, ..Memory::default() };
    assert_eq!(ask(&world, "GET", HARBOUR).status, 200);
    assert_eq!(*world.logged.borrow(), ["the blob store failed: no room"]);
}
