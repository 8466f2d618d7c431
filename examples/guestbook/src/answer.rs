//! From a request to a reply.

use guest_http::{Query, Reader, Reply};

use crate::database::{Database, DatabaseError};
use crate::draft::{Draft, DraftError};
use crate::entries::Book;
use crate::view;

/// The most bytes of a body: the longest name and message, percent-encoded.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

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
    /// The value of `content-type`.
    pub content_type: Option<&'r str>,
    /// The body.
    pub body: &'r [u8],
}

/// Why a request gets none of the replies that it hoped for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("there are / and /entries.json")]
    Page,
    #[error("there are {0}")]
    Method(&'static str),
    #[error("post the fields `name` and `message` of a form (application/x-www-form-urlencoded)")]
    Kind,
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("{wrong}")]
    Draft { wrong: DraftError, name: String, message: String },
    #[error("`before` has to be a whole number")]
    Before,
    #[error(transparent)]
    Database(DatabaseError),
}

/// Answers a request. The database is opened only where it is needed; what it says when it fails goes to `log`.
#[must_use]
pub fn answer<D: Database>(
    asked: &Asked<'_>,
    open: impl FnOnce() -> Result<D, DatabaseError>,
    log: impl FnOnce(&str),
) -> Reply {
    let book = || open().and_then(Book::open).map_err(Refusal::Database);
    let reply = match (asked.path, asked.method) {
        ("/", "GET" | "HEAD") => newest(asked, book, view::book),
        ("/", "POST") => sign(asked, book),
        ("/", _) => Err(Refusal::Method("GET, HEAD, POST")),
        ("/entries.json", "GET" | "HEAD") => newest(asked, book, view::json),
        ("/entries.json", _) => Err(Refusal::Method("GET, HEAD")),
        _ => Err(Refusal::Page),
    };
    reply.unwrap_or_else(|refusal| {
        if let Refusal::Database(DatabaseError::Failed(why)) = &refusal {
            log(why);
        }
        refuse(&refusal, Reader::of(asked.accept))
    })
}

fn newest<D: Database>(
    asked: &Asked<'_>,
    book: impl FnOnce() -> Result<Book<D>, Refusal>,
    view: impl FnOnce(&crate::entries::Page) -> Reply,
) -> Result<Reply, Refusal> {
    let before = asked.query.get("before").map(|text| text.parse().map_err(|_| Refusal::Before)).transpose()?;
    book()?.newest(before).map(|page| view(&page)).map_err(Refusal::Database)
}

fn sign<D: Database>(asked: &Asked<'_>, book: impl FnOnce() -> Result<Book<D>, Refusal>) -> Result<Reply, Refusal> {
    let kind = asked.content_type.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refusal::Kind);
    }
    let form = Query::new(std::str::from_utf8(asked.body).map_err(|_| Refusal::NotUtf8)?);
    let field = |name| form.text(name).map(Option::unwrap_or_default).map_err(|_| Refusal::NotUtf8);
    let (name, message) = (field("name")?, field("message")?);
    let draft = Draft::new(&name, &message).map_err(|wrong| Refusal::Draft { wrong, name, message })?;
    book()?.sign(&draft).map_err(Refusal::Database)?;
    // The browser goes on to the book by `GET`: to reload that page does not sign again.
    Ok(Reply::new(303, "text/plain; charset=utf-8", "signed; see /\n").with("location", "/"))
}

fn refuse(refusal: &Refusal, reader: Reader) -> Reply {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Page => reader.problem(404, "no such page", &detail),
        Refusal::Method(allowed) => reader.problem(405, "no such method", &detail).with("allow", *allowed),
        Refusal::Kind => reader.problem(415, "the body is of a kind that is not read here", &detail),
        Refusal::NotUtf8 => reader.problem(400, "the entry is damaged", &detail),
        Refusal::Draft { name, message, .. } if reader == Reader::Person => view::again(400, &detail, name, message),
        Refusal::Draft { .. } => reader.problem(400, "the entry cannot be taken", &detail),
        Refusal::Before => reader.problem(400, "a parameter is wrong", &detail),
        Refusal::Database(DatabaseError::NotGranted) => reader.problem(
            503,
            "the database is not granted",
            "grant it in cumulet.toml, under [component.guestbook.grant]: sqlite = [\"default\"]",
        ),
        Refusal::Database(DatabaseError::Full) => {
            reader.problem(507, "the book is full", "nothing more can be written")
        }
        Refusal::Database(DatabaseError::Failed(_)) => {
            reader.problem(503, "the database does not answer", "try again a little later")
        }
    }
}
