//! The example apps as their manifests serve them: what each one's README promises, through the real stores.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

use anyhow::{Context as _, anyhow, ensure};
use cumulet_scenarios::http1::Reply;
use cumulet_scenarios::listener::Listener;
use cumulet_scenarios::server::Server;
use cumulet_scenarios::{PATIENCE, paths};
use serde_json::{Value, json};

const FORM: &str = "content-type: application/x-www-form-urlencoded";
const TEXT: &str = "content-type: text/plain";
const PERSON: &str = "accept: text/html";
/// Requests at once.
const CROWD: usize = 30;
/// Thumbnails at once: fewer than the manifest's `concurrency`.
const VIEWERS: usize = 8;

/// Copies the manifest of an example into `folder`, with these grants of one name each in place of its own.
fn manifest(folder: &Path, app: &str, grants: &[(&str, &str)]) -> anyhow::Result<PathBuf> {
    let example = paths::repository().join("examples").join(app);
    let mut manifest: toml::Table = std::fs::read_to_string(example.join("cumulet.toml"))?.parse()?;
    let components = manifest.get_mut("component").and_then(toml::Value::as_table_mut);
    let component = components.and_then(|all| all.get_mut(app)?.as_table_mut()).context("a component")?;
    let source = example.join(component.get("source").and_then(toml::Value::as_str).context("a source")?);
    let source = source.canonicalize().with_context(|| format!("{}: run `cargo xtask guests`", source.display()))?;
    component.insert("source".to_owned(), source.to_str().context("a path")?.into());
    component.remove("build").context("a build line")?;
    let granted = component.get_mut("grant").and_then(toml::Value::as_table_mut).context("grants")?;
    for (kind, name) in grants {
        granted.insert((*kind).to_owned(), vec![*name].into()).context("it is granted by the example, too")?;
    }
    let path = folder.join("cumulet.toml");
    std::fs::write(&path, toml::to_string(&manifest)?)?;
    Ok(path)
}

/// Serves an example in a data folder that stays below `folder`.
fn served(folder: &Path, app: &str, grants: &[(&str, &str)]) -> anyhow::Result<Server> {
    Server::up_in(&folder.join("data"), &manifest(folder, app, grants)?, &[], &[])
}

/// Kills the server and serves the example again from the same data.
fn served_anew(server: Server, folder: &Path, app: &str, grants: &[(&str, &str)]) -> anyhow::Result<Server> {
    server.kill_now()?;
    server.wait()?;
    served(folder, app, grants)
}

fn send(server: &Server, method: &str, target: &str, headers: &[&str], body: &str) -> anyhow::Result<Reply> {
    let length = format!("content-length: {}", body.len());
    let mut connection = server.connect()?;
    connection.request(method, target, &[headers, &[&length]].concat())?;
    connection.send(body.as_bytes())?;
    let reply = connection.reply(method)?;
    ensure!(reply.complete, "{method} {target}: {reply:?}");
    Ok(reply)
}

/// The same, where the reply's status has to be this one.
fn sent(server: &Server, request: (&str, &str, &[&str], &str), status: u16) -> anyhow::Result<Reply> {
    let (method, target, headers, body) = request;
    let reply = send(server, method, target, headers, body)?;
    ensure!(reply.status() == status, "{method} {target} {body:.80}: {:?} {:?}", reply.head, reply.text());
    Ok(reply)
}

fn got(server: &Server, target: &str, headers: &[&str], status: u16) -> anyhow::Result<Reply> {
    sent(server, ("GET", target, headers, ""), status)
}

fn got_json(server: &Server, target: &str) -> anyhow::Result<Value> {
    let reply = got(server, target, &[], 200)?;
    ensure!(reply.header("content-type") == Some("application/json"), "{target}: {reply:?}");
    serde_json::from_slice(&reply.body).with_context(|| format!("{target}: {}", reply.text()))
}

/// Sends what is refused with this status, and returns the problem's detail and the reply.
fn refused(server: &Server, request: (&str, &str, &[&str], &str), status: u16) -> anyhow::Result<(String, Reply)> {
    let reply = sent(server, request, status)?;
    ensure!(reply.header("content-type") == Some("application/problem+json"), "{request:?}: {reply:?}");
    let problem: Value = serde_json::from_slice(&reply.body)?;
    ensure!(problem.get("status").and_then(Value::as_u64) == Some(status.into()), "{request:?}: {problem}");
    let detail = problem.get("detail").and_then(Value::as_str).with_context(|| format!("no detail in {problem}"))?;
    Ok((detail.to_owned(), reply))
}

/// Does the same `count` times at once.
fn at_once<T: Send>(count: usize, ask: impl Fn(usize) -> anyhow::Result<T> + Sync) -> anyhow::Result<Vec<T>> {
    let (ask, start) = (&ask, &Barrier::new(count));
    std::thread::scope(|scope| {
        let visitor = |number| {
            scope.spawn(move || {
                start.wait();
                ask(number)
            })
        };
        let visitors: Vec<_> = (0..count).map(visitor).collect();
        visitors.into_iter().map(|visitor| visitor.join().map_err(|_| anyhow!("panicked"))?).collect()
    })
}

fn without_its_grant(app: &str, kind: &str, name: &str, target: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), app, &[(kind, "other")])?;
    let (detail, _) = refused(&server, ("GET", target, &[], ""), 503)?;
    ensure!(detail.contains(&format!("[component.{app}.grant]: {kind} = [\"{name}\"]")), "{detail}");
    let page = got(&server, target, &[PERSON], 503)?.text();
    ensure!(page.contains(&format!("{kind} = [&quot;{name}&quot;]")), "{page}");
    server.stop()
}

/// The links that are listed, page by page: where each leads, and how many visits it had.
fn links(server: &Server) -> anyhow::Result<BTreeMap<String, (String, u64)>> {
    let (mut links, mut cursor) = (BTreeMap::new(), None);
    loop {
        let query = cursor.map(|cursor: String| format!("?cursor={}", encoded(&cursor))).unwrap_or_default();
        let listing = got_json(server, &format!("/stats.json{query}"))?;
        let known = |link: &Value| {
            let text = |field| link.get(field)?.as_str().map(str::to_owned);
            Some((text("slug")?, (text("url")?, link.get("visits")?.as_u64()?)))
        };
        for link in listing.get("links").and_then(Value::as_array).context("a list")? {
            let (slug, known) = known(link).with_context(|| format!("{link}"))?;
            ensure!(links.insert(slug, known).is_none(), "{link} is listed twice");
        }
        cursor = listing.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            return Ok(links);
        }
    }
}

/// Text as a form sends it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn visits(server: &Server, slug: &str) -> anyhow::Result<u64> {
    Ok(links(server)?.get(slug).with_context(|| format!("{slug} is not listed"))?.1)
}

#[test]
fn url_shortener_makes_links_and_counts_their_visits() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "url-shortener", &[])?;
    ensure!(got_json(&server, "/stats.json")? == json!({"links": [], "next": null}));
    let made = |request, slug: &str| -> anyhow::Result<()> {
        let reply = sent(&server, request, 201)?;
        ensure!(reply.text() == format!("http://test/{slug}\n"), "{reply:?}");
        ensure!(reply.header("location") == Some(&format!("/{slug}")), "{reply:?}");
        Ok(())
    };
    made(("POST", "/", &[FORM], "url=https://example.com/a"), "1")?;
    made(("POST", "/?as=team", &[TEXT], "https://example.com/"), "team")?;
    let (detail, _) = refused(&server, ("POST", "/?as=team", &[TEXT], "https://example.com/"), 409)?;
    ensure!(detail.contains("team"), "{detail}");
    for _ in 0..2 {
        let reply = got(&server, "/team", &[], 302)?;
        ensure!(reply.header("location") == Some("https://example.com/"), "{reply:?}");
        ensure!(reply.header("cache-control") == Some("no-store"), "{reply:?}");
    }
    // Who only asks for the head is no visitor.
    let reply = sent(&server, ("HEAD", "/team", &[], ""), 302)?;
    ensure!(reply.header("location") == Some("https://example.com/"), "{reply:?}");
    let expected = [("1", ("https://example.com/a", 0)), ("team", ("https://example.com/", 2))];
    let expected = expected.map(|(slug, (url, visits))| (slug.to_owned(), (url.to_owned(), visits)));
    ensure!(links(&server)? == BTreeMap::from(expected), "{:?}", links(&server)?);
    // The third link, under a name that the fourth would have had.
    made(("POST", "/", &[FORM], "url=https://example.com/b&as=4"), "4")?;
    made(("POST", "/", &[FORM], "url=https://example.com/c&as="), "5")?;
    server.stop()
}

#[test]
fn url_shortener_shows_a_link_as_text_and_not_as_markup() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "url-shortener", &[])?;
    let url = "https://example.com/\"><script>";
    let form = format!("url={}", encoded(url));
    let made = sent(&server, ("POST", "/", &[FORM, PERSON], &form), 201)?;
    let home = got(&server, "/", &[PERSON], 200)?;
    for page in [&made, &home] {
        let text = page.text();
        ensure!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{page:?}");
        ensure!(text.contains("https://example.com/&quot;&gt;&lt;script&gt;") && !text.contains("<script"), "{text}");
    }
    ensure!(got(&server, "/1", &[], 302)?.header("location") == Some(url));
    server.stop()
}

#[test]
fn url_shortener_refuses_what_it_cannot_take() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "url-shortener", &[])?;
    let large = format!("url=https://example.com/{}", "x".repeat(9000));
    let refusals: [(_, _, &[&str], _, _); 11] = [
        ("POST", "/", &[FORM], "url=javascript:1", 400),
        ("POST", "/", &[TEXT], "javascript:1", 400),
        ("POST", "/", &[FORM], "other=https://example.com/", 400),
        ("POST", "/", &[FORM], "url=%FF", 400),
        ("POST", "/", &[FORM], "", 400),
        ("POST", "/?as=a/b", &[TEXT], "https://example.com/", 400),
        ("POST", "/", &["content-type: application/json"], "{\"url\":\"https://example.com/\"}", 415),
        ("POST", "/", &[FORM], &large, 413),
        ("GET", "/nope", &[], "", 404),
        ("GET", "/a/b", &[], "", 404),
        ("GET", "/?before=last", &[], "", 400),
    ];
    for (method, target, headers, body, status) in refusals {
        refused(&server, (method, target, headers, body), status)?;
    }
    for (target, allowed) in [("/", "GET, HEAD, POST"), ("/1", "GET, HEAD"), ("/stats.json", "GET, HEAD")] {
        let (_, reply) = refused(&server, ("DELETE", target, &[], ""), 405)?;
        ensure!(reply.header("allow") == Some(allowed), "{target}: {reply:?}");
    }
    ensure!(links(&server)?.is_empty(), "{:?}", links(&server)?);
    server.stop()
}

#[test]
fn url_shortener_gives_a_name_once_and_loses_no_visit() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "url-shortener", &[])?;
    let mut replies = at_once(CROWD, |number| {
        let url = format!("https://example.com/{number}");
        send(&server, "POST", "/?as=same", &[TEXT], &url).map(|reply| (reply.status(), url))
    })?;
    replies.sort();
    let (winner, others) = replies.split_first().context("a crowd")?;
    ensure!(winner.0 == 201 && others.iter().all(|(status, _)| *status == 409), "{replies:?}");
    let locations = at_once(CROWD, |_| Ok(got(&server, "/same", &[], 302)?.header("location").map(str::to_owned)))?;
    ensure!(locations.iter().all(|location| location.as_deref() == Some(&winner.1)), "{winner:?} {locations:?}");
    ensure!(visits(&server, "same")? == CROWD as u64, "{:?}", links(&server)?);
    // Each of those who want any name gets one of its own.
    let names = at_once(CROWD, |_| {
        let reply = sent(&server, ("POST", "/", &[TEXT], "https://example.com/"), 201)?;
        reply.header("location").map(str::to_owned).context("a location")
    })?;
    ensure!(names.iter().collect::<BTreeSet<_>>().len() == CROWD, "{names:?}");
    ensure!(links(&server)?.len() == CROWD + 1, "{:?}", links(&server)?);
    // Two pages of 20 links.
    let home = got(&server, "/", &[PERSON], 200)?.text();
    ensure!(home.contains("/?before=12\"") && home.matches("<tr><td>").count() == 20, "{home}");
    let older = got(&server, "/?before=12", &[PERSON], 200)?.text();
    ensure!(!older.contains("?before=") && older.matches("<tr><td>").count() == 11, "{older}");
    server.stop()
}

#[test]
fn url_shortener_lists_more_links_than_the_store_has_on_a_page() -> anyhow::Result<()> {
    // A page of the store has 1000 keys, and a link that nobody followed has two of them.
    const LINKS: usize = 17 * CROWD;
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "url-shortener", &[])?;
    at_once(CROWD, |_| {
        let mut connection = server.connect()?;
        for _ in 0..LINKS / CROWD {
            connection.request("POST", "/", &[TEXT, "content-length: 20"])?;
            connection.send(b"https://example.com/")?;
            let reply = connection.reply("POST")?;
            ensure!(reply.status() == 201, "{reply:?}");
        }
        Ok(())
    })?;
    let first = got_json(&server, "/stats.json")?;
    ensure!(first.get("next").is_some_and(Value::is_string), "one page: {first}");
    let all = links(&server)?;
    ensure!(all.len() == LINKS && all.values().all(|link| *link == ("https://example.com/".to_owned(), 0)), "{all:?}");
    server.stop()
}

#[test]
fn url_shortener_survives_a_kill() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "url-shortener", &[])?;
    sent(&server, ("POST", "/?as=team", &[TEXT], "https://example.com/"), 201)?;
    got(&server, "/team", &[], 302)?;
    sent(&server, ("POST", "/", &[TEXT], "https://example.com/a"), 201)?;
    let before = links(&server)?;
    let server = served_anew(server, folder.path(), "url-shortener", &[])?;
    ensure!(links(&server)? == before && before.len() == 2, "{before:?} {:?}", links(&server)?);
    ensure!(got(&server, "/team", &[], 302)?.header("location") == Some("https://example.com/"));
    ensure!(visits(&server, "team")? == 2);
    let next = sent(&server, ("POST", "/", &[TEXT], "https://example.com/b"), 201)?;
    ensure!(next.header("location") == Some("/3"), "{next:?}");
    server.stop()
}

#[test]
fn each_example_says_which_store_it_lacks() -> anyhow::Result<()> {
    without_its_grant("url-shortener", "keyvalue", "default", "/")?;
    without_its_grant("guestbook", "sqlite", "default", "/")?;
    without_its_grant("thumbnail-cache", "blobstore", "thumbnails", "/?url=http://127.0.0.1:8099/a.jpg&width=1")
}

/// The entries of one page, each with its name and its message, and where the next page begins.
type Entries = (Vec<(String, String)>, Option<u64>);

fn entries(server: &Server, target: &str) -> anyhow::Result<Entries> {
    let page = got_json(server, target)?;
    let known = |entry: &Value| {
        let text = |field| entry.get(field)?.as_str().map(str::to_owned);
        let at = text("at")?;
        (at.len() == "2026-01-31T23:59:59Z".len() && at.ends_with('Z')).then_some((text("name")?, text("message")?))
    };
    let entries = page.get("entries").and_then(Value::as_array).context("a list")?.iter().map(known).collect();
    let entries: Option<Vec<_>> = entries;
    Ok((entries.with_context(|| format!("{page}"))?, page.get("next").and_then(Value::as_u64)))
}

/// Signs the guestbook.
fn sign(server: &Server, name: &str, message: &str) -> anyhow::Result<()> {
    let form = format!("name={}&message={}", encoded(name), encoded(message));
    let reply = sent(server, ("POST", "/", &[FORM], &form), 303)?;
    ensure!(reply.header("location") == Some("/"), "{reply:?}");
    Ok(())
}

#[test]
fn guestbook_shows_what_was_written_as_text_and_keeps_it() -> anyhow::Result<()> {
    const INJECTION: &str = "x'); drop table entry; --";
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "guestbook", &[])?;
    ensure!(got_json(&server, "/entries.json")? == json!({"entries": [], "next": null}));
    sent(&server, ("POST", "/", &[FORM], "name=Ada&message=Good+<b>morning"), 303)?;
    let page = got(&server, "/", &[PERSON], 200)?;
    ensure!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{page:?}");
    let text = page.text();
    ensure!(text.contains("<strong>Ada</strong>") && text.contains("Good &lt;b&gt;morning"), "{text}");
    sign(&server, INJECTION, "é\r\n' or 1=1")?;
    let own = |entries: &[(&str, &str)]| -> Vec<(String, String)> {
        entries.iter().map(|(name, message)| ((*name).to_owned(), (*message).to_owned())).collect()
    };
    let expected = own(&[(INJECTION, "é\n' or 1=1"), ("Ada", "Good <b>morning")]);
    let found = entries(&server, "/entries.json")?;
    ensure!(found == (expected, None), "{found:?}");
    let server = served_anew(server, folder.path(), "guestbook", &[])?;
    ensure!(entries(&server, "/entries.json")? == found, "{:?}", entries(&server, "/entries.json")?);
    sign(&server, "Bob", "still here")?;
    let (after, _) = entries(&server, "/entries.json")?;
    ensure!(after.first() == own(&[("Bob", "still here")]).first() && after.len() == 3, "{after:?}");
    server.stop()
}

#[test]
fn guestbook_refuses_what_it_cannot_take() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "guestbook", &[])?;
    let large = format!("name=Ada&message={}", "x".repeat(17_000));
    let long = format!("name=Ada&message={}", "x".repeat(501));
    let refusals: [(_, _, &[&str], _, _); 11] = [
        ("POST", "/", &[FORM], "name=&message=hello", 400),
        ("POST", "/", &[FORM], "message=hello", 400),
        ("POST", "/", &[FORM], "name=Ada&message=+%0D%0A", 400),
        ("POST", "/", &[FORM], "name=Ada", 400),
        ("POST", "/", &[FORM], "name=%FF&message=hello", 400),
        ("POST", "/", &[FORM], &long, 400),
        ("POST", "/", &[FORM], &large, 413),
        ("POST", "/", &["content-type: application/json"], "{}", 415),
        ("POST", "/", &[], "name=Ada&message=hello", 415),
        ("GET", "/nope", &[], "", 404),
        ("GET", "/entries.json?before=last", &[], "", 400),
    ];
    for (method, target, headers, body, status) in refusals {
        refused(&server, (method, target, headers, body), status)?;
    }
    for (target, allowed) in [("/", "GET, HEAD, POST"), ("/entries.json", "GET, HEAD")] {
        let (_, reply) = refused(&server, ("DELETE", target, &[], ""), 405)?;
        ensure!(reply.header("allow") == Some(allowed), "{target}: {reply:?}");
    }
    // A person gets the form back, with what was written.
    let form = "name=%22%3E%3Cb%3E&message=";
    let page = sent(&server, ("POST", "/", &[FORM, PERSON], form), 400)?.text();
    ensure!(page.contains("value=\"&quot;&gt;&lt;b&gt;\""), "{page}");
    ensure!(entries(&server, "/entries.json")? == (Vec::new(), None));
    server.stop()
}

/// The first of them make the table, all at once.
#[test]
fn guestbook_takes_a_crowd_before_it_has_a_table() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = served(folder.path(), "guestbook", &[])?;
    at_once(CROWD, |number| sign(&server, "Ada", &format!("{number}")))?;
    let (mut all, next) = entries(&server, "/entries.json")?;
    let next = next.with_context(|| format!("{all:?} and no more"))?;
    ensure!(all.len() == 20 && next == 11, "{all:?} {next}");
    let (older, end) = entries(&server, &format!("/entries.json?before={next}"))?;
    all.extend(older);
    all.sort();
    let mut expected: Vec<_> = (0..CROWD).map(|number| ("Ada".to_owned(), format!("{number}"))).collect();
    expected.sort();
    ensure!(all == expected && end.is_none(), "{all:?} {end:?}");
    server.stop()
}

/// A server that has one picture, and counts how often it is asked for anything.
struct Pictures {
    address: SocketAddr,
    visits: Arc<AtomicU64>,
}

impl Pictures {
    fn start() -> anyhow::Result<Self> {
        let picture = std::fs::read(paths::repository().join("examples/image-resize/data/harbour.jpg"))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, visits, picture) = (listener.local_addr()?, Arc::new(AtomicU64::new(0)), Arc::new(picture));
        let counted = Arc::clone(&visits);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (counted, picture) = (Arc::clone(&counted), Arc::clone(&picture));
                // Whoever asks in vain says so in the scenario.
                std::thread::spawn(move || serve(stream, &counted, &picture));
            }
        });
        Ok(Self { address, visits })
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn visits(&self) -> u64 {
        self.visits.load(Ordering::SeqCst)
    }

    /// The request for a thumbnail of `/harbour.jpg`.
    fn harbour(&self) -> String {
        format!("/?url={}/harbour.jpg&width=160", self.origin())
    }
}

fn serve(mut stream: TcpStream, visits: &AtomicU64, picture: &[u8]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    visits.fetch_add(1, Ordering::SeqCst);
    let found = head.starts_with(b"GET /harbour.jpg HTTP/1.1\r\n");
    let (status, body) = if found { ("200 OK", picture) } else { ("404 Not Found", &b"none"[..]) };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")?;
    stream.write_all(body)
}

/// Asks for a thumbnail, which has to be a JPEG from there: `hit` or `miss`.
fn thumbnail(server: &Server, target: &str, from: &str) -> anyhow::Result<Vec<u8>> {
    let reply = got(server, target, &[], 200)?;
    let is_jpeg = reply.header("content-type") == Some("image/jpeg") && reply.body.starts_with(b"\xff\xd8\xff");
    ensure!(is_jpeg && reply.body.ends_with(b"\xff\xd9"), "{target}: {:?}", reply.head);
    ensure!(reply.header("x-cache") == Some(from), "{target}: {:?}", reply.head);
    Ok(reply.body)
}

#[test]
fn thumbnail_cache_fetches_a_picture_once() -> anyhow::Result<()> {
    let (folder, pictures) = (tempfile::tempdir()?, Pictures::start()?);
    let (origin, harbour) = (pictures.origin(), pictures.harbour());
    let grants = [("http", origin.as_str())];
    let server = served(folder.path(), "thumbnail-cache", &grants)?;
    let made = thumbnail(&server, &harbour, "miss")?;
    ensure!(thumbnail(&server, &harbour, "hit")? == made);
    ensure!(pictures.visits() == 1, "{} visits", pictures.visits());
    // What is kept is kept.
    let server = served_anew(server, folder.path(), "thumbnail-cache", &grants)?;
    ensure!(thumbnail(&server, &harbour, "hit")? == made);
    let wider = thumbnail(&server, &harbour.replace("160", "161"), "miss")?;
    ensure!(wider != made && pictures.visits() == 2, "{} visits", pictures.visits());
    sent(&server, ("DELETE", &harbour, &[], ""), 200)?;
    ensure!(thumbnail(&server, &harbour, "miss")? == made && pictures.visits() == 3, "{} visits", pictures.visits());
    // Forgotten before it was known is no error.
    for _ in 0..2 {
        sent(&server, ("DELETE", &harbour, &[], ""), 200)?;
    }
    let crowd = at_once(VIEWERS, |_| Ok(got(&server, &harbour, &[], 200)?.body))?;
    ensure!(crowd.iter().all(|body| *body == made), "{:?}", crowd.iter().map(Vec::len).collect::<Vec<_>>());
    ensure!(thumbnail(&server, &harbour, "hit")? == made);
    server.stop()
}

#[test]
fn thumbnail_cache_refuses_what_it_cannot_show() -> anyhow::Result<()> {
    let (folder, pictures, other) = (tempfile::tempdir()?, Pictures::start()?, Listener::start()?);
    let (origin, harbour) = (pictures.origin(), pictures.harbour());
    let server = served(folder.path(), "thumbnail-cache", &[("http", &origin)])?;
    for address in [other.address.to_string(), format!("localhost:{}", pictures.address.port())] {
        let target = format!("/?url=http://{address}/harbour.jpg&width=160");
        let (detail, _) = refused(&server, ("GET", &target, &[], ""), 403)?;
        let named = format!("[component.thumbnail-cache.grant]: http = [\"http://{address}\"]");
        ensure!(detail.contains(&named), "{detail}");
    }
    ensure!(other.visits() == 0 && pictures.visits() == 0, "{} and {}", other.visits(), pictures.visits());
    for target in [
        harbour.replace("160", "0"),
        harbour.replace("160", "1025"),
        harbour.replace("http:", "ftp:"),
        format!("/?url={origin}/harbour.jpg"),
        "/".to_owned(),
    ] {
        refused(&server, ("GET", &target, &[], ""), 400)?;
    }
    ensure!(pictures.visits() == 0, "{} visits", pictures.visits());
    refused(&server, ("GET", "/nope", &[], ""), 404)?;
    let (_, reply) = refused(&server, ("POST", &harbour, &[], ""), 405)?;
    ensure!(reply.header("allow") == Some("GET, HEAD, DELETE"), "{reply:?}");
    // What failed is not kept.
    for visits in 1..=2 {
        let (detail, _) = refused(&server, ("GET", &harbour.replace("harbour", "none"), &[], ""), 502)?;
        ensure!(detail.contains("404") && pictures.visits() == visits, "{detail}, {} visits", pictures.visits());
    }
    server.stop()
}

#[test]
fn thumbnail_cache_says_when_there_is_no_server() -> anyhow::Result<()> {
    // Free again, and nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let (folder, origin) = (tempfile::tempdir()?, format!("http://{address}"));
    let server = served(folder.path(), "thumbnail-cache", &[("http", &origin)])?;
    let (detail, _) = refused(&server, ("GET", &format!("/?url={origin}/harbour.jpg&width=160"), &[], ""), 502)?;
    ensure!(detail.contains("refused"), "{detail}");
    server.stop()
}
