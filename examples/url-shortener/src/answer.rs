//! From a request to a reply.

use guest_http::{Query, Reader, Reply, Url, UrlError};

use crate::links::{AddError, Links};
use crate::slug::{Slug, SlugError};
use crate::store::{Store, StoreError};
use crate::view;

/// The most bytes of a body: the longest URL and a name, percent-encoded.
pub const BODY_BYTES_MAX: usize = 8 * 1024;

/// What a request brings along, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The method, by its name.
    pub method: &'r str,
    /// The path.
    pub path: &'r str,
    /// The query.
    pub query: Query<'r>,
    /// How the client reached this app, as `http://HOST:PORT`.
    pub origin: &'r str,
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
    #[error("there is no short link {0:?}")]
    NoLink(String),
    #[error("{0} is not served here")]
    Method(&'static str),
    #[error("post a URL as text/plain, or as the field `url` of a form")]
    Kind,
    #[error("the form has no field `url`")]
    NoUrl,
    #[error("the body is not UTF-8")]
    NotUtf8,
    #[error(transparent)]
    Url(UrlError),
    #[error(transparent)]
    Name(SlugError),
    #[error("`before` has to be a whole number")]
    Before,
    #[error(transparent)]
    Add(AddError),
    #[error(transparent)]
    Store(StoreError),
}

/// Answers a request. The store is opened only where it is needed; what it says when it fails goes to `log`.
#[must_use]
pub fn answer<S: Store>(
    asked: &Asked<'_>,
    open: impl FnOnce() -> Result<S, StoreError>,
    log: impl FnOnce(&str),
) -> Reply {
    let links = || open().map(Links::new).map_err(Refusal::Store);
    let reply = match (asked.path, asked.method) {
        ("/", "GET" | "HEAD") => home(asked, links),
        ("/", "POST") => add(asked, links),
        ("/", _) => Err(Refusal::Method("GET, HEAD, POST")),
        ("/stats.json", "GET" | "HEAD") => stats(asked, links),
        (_, "GET" | "HEAD") => follow(asked, links),
        _ => Err(Refusal::Method("GET, HEAD")),
    };
    reply.unwrap_or_else(|refusal| {
        if let Refusal::Store(StoreError::Failed(why)) | Refusal::Add(AddError::Store(StoreError::Failed(why))) =
            &refusal
        {
            log(why);
        }
        refuse(&refusal, Reader::of(asked.accept))
    })
}

fn home<S: Store>(asked: &Asked<'_>, links: impl FnOnce() -> Result<Links<S>, Refusal>) -> Result<Reply, Refusal> {
    let before = asked.query.get("before").map(|text| text.parse().map_err(|_| Refusal::Before)).transpose()?;
    links()?.newest(before).map(|page| view::home(&page)).map_err(Refusal::Store)
}

fn stats<S: Store>(asked: &Asked<'_>, links: impl FnOnce() -> Result<Links<S>, Refusal>) -> Result<Reply, Refusal> {
    let cursor = asked.query.get("cursor");
    links()?.listed(cursor.as_deref()).map(|listing| view::stats(&listing)).map_err(Refusal::Store)
}

fn follow<S: Store>(asked: &Asked<'_>, links: impl FnOnce() -> Result<Links<S>, Refusal>) -> Result<Reply, Refusal> {
    let name = asked.path.strip_prefix('/').unwrap_or_default();
    let missing = || Refusal::NoLink(name.to_owned());
    let slug = Slug::parse(name).map_err(|_| missing())?;
    let links = links()?;
    let url = links.url(&slug).map_err(Refusal::Store)?.ok_or_else(missing)?;
    // Who only asks for the head is no visitor.
    if asked.method == "GET" {
        links.visit(&slug).map_err(Refusal::Store)?;
    }
    let reply = Reply::new(302, "text/plain; charset=utf-8", format!("{url}\n"));
    // Each visit is to be counted, so nobody may remember the way.
    Ok(reply.with("location", url).with("cache-control", "no-store"))
}

fn add<S: Store>(asked: &Asked<'_>, links: impl FnOnce() -> Result<Links<S>, Refusal>) -> Result<Reply, Refusal> {
    let body = std::str::from_utf8(asked.body).map_err(|_| Refusal::NotUtf8)?;
    let kind = asked.content_type.map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let (url, name) = match kind.as_deref() {
        Some("application/x-www-form-urlencoded") => {
            let form = Query::new(body);
            let field = |name| form.text(name).map_err(|_| Refusal::NotUtf8);
            // A form that is left empty sends an empty name.
            (field("url")?.ok_or(Refusal::NoUrl)?, field("as")?.filter(|name| !name.is_empty()))
        }
        Some("text/plain") | None => (body.to_owned(), None),
        Some(_) => return Err(Refusal::Kind),
    };
    let url = Url::parse(url.trim()).map_err(Refusal::Url)?;
    let name = asked.query.get("as").or(name).map(|name| Slug::parse(&name)).transpose().map_err(Refusal::Name)?;
    let slug = links()?.add(&url, name).map_err(Refusal::Add)?;
    let short = format!("{}/{slug}", asked.origin);
    let reply = match Reader::of(asked.accept) {
        Reader::Person => view::made(&short, url.as_str()),
        Reader::Program => Reply::new(201, "text/plain; charset=utf-8", format!("{short}\n")),
    };
    Ok(reply.with("location", format!("/{slug}")))
}

fn refuse(refusal: &Refusal, reader: Reader) -> Reply {
    let detail = refusal.to_string();
    let (status, title, detail) = match refusal {
        Refusal::NoLink(_) => (404, "no such link", detail),
        Refusal::Method(allowed) => {
            let reply = reader.problem(405, "no such method", &format!("there are {allowed}"));
            return reply.with("allow", *allowed);
        }
        Refusal::Kind => (415, "the body is of a kind that is not read here", detail),
        Refusal::NoUrl | Refusal::NotUtf8 | Refusal::Url(_) => (400, "this is no URL to shorten", detail),
        Refusal::Name(_) => (400, "this cannot be the name of a link", detail),
        Refusal::Before => (400, "a parameter is wrong", detail),
        Refusal::Add(AddError::Taken(_)) => (409, "the name is taken", detail),
        Refusal::Add(AddError::Exhausted) => (503, "no free link was found", detail),
        Refusal::Store(error) | Refusal::Add(AddError::Store(error)) => return unavailable(error, reader),
    };
    reader.problem(status, title, &detail)
}

fn unavailable(error: &StoreError, reader: Reader) -> Reply {
    match error {
        StoreError::NotGranted => reader.problem(
            503,
            "the store is not granted",
            "grant it in cumulet.toml, under [component.url-shortener.grant]: keyvalue = [\"default\"]",
        ),
        StoreError::Failed(_) => reader.problem(503, "the store does not answer", "try again a little later"),
    }
}
