//! Requests against a store in memory that behaves as the host's does.
#![expect(clippy::unwrap_used, reason = "a store for tests, of which everything is known")]

use std::cell::RefCell;
use std::collections::BTreeMap;

use guest_http::{Query, Reply};
use url_shortener::answer::{Asked, answer};
use url_shortener::store::{Claim, Store, StoreError};

/// Keys in one page of a listing.
const PAGE_KEYS: usize = 7;

#[derive(Default)]
struct Memory(RefCell<BTreeMap<String, Vec<u8>>>);

impl Store for &Memory {
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.borrow().get(key).cloned())
    }

    fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        assert!(!keys.is_empty(), "not every store takes an empty batch");
        keys.iter().map(|key| self.get(key)).collect()
    }

    fn set(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.0.borrow_mut().insert(key.to_owned(), value.as_bytes().to_vec());
        Ok(())
    }

    fn claim(&self, key: &str, value: &str) -> Result<Claim, StoreError> {
        if self.get(key)?.is_some() {
            return Ok(Claim::Taken);
        }
        self.set(key, value).map(|()| Claim::Made)
    }

    fn increment(&self, key: &str) -> Result<u64, StoreError> {
        let number = self.get(key)?.map_or(0, |value| String::from_utf8(value).unwrap().parse().unwrap()) + 1;
        self.set(key, &number.to_string()).map(|()| number)
    }

    fn list(&self, cursor: Option<&str>) -> Result<(Vec<String>, Option<String>), StoreError> {
        let keys = self.0.borrow();
        let mut after = keys.keys().filter(|key| cursor.is_none_or(|cursor| key.as_str() > cursor)).cloned();
        let page: Vec<String> = after.by_ref().take(PAGE_KEYS).collect();
        let next = after.next().and_then(|_| page.last().cloned());
        Ok((page, next))
    }
}

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const BROWSER: Option<&str> = Some("text/html,*/*");

fn asked<'r>(method: &'r str, target: &'r str) -> Asked<'r> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = Query::new(query);
    Asked { method, path, query, origin: "http://s.example", accept: None, content_type: None, body: b"" }
}

fn ask(store: &Memory, asked: &Asked<'_>) -> Reply {
    answer(asked, || Ok(store), |_| ())
}

fn get(store: &Memory, target: &str) -> Reply {
    ask(store, &asked("GET", target))
}

fn post(store: &Memory, target: &str, content_type: Option<&str>, body: &str) -> Reply {
    ask(store, &Asked { content_type, body: body.as_bytes(), ..asked("POST", target) })
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.concat()).unwrap()
}

fn header<'r>(reply: &'r Reply, name: &str) -> Option<&'r str> {
    reply.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_link_is_made_followed_and_counted() {
    let store = Memory::default();
    let made = post(&store, "/", Some("text/plain; charset=utf-8"), "https://a.example/b?c=d\n");
    assert_eq!(
        (made.status, text(&made).as_str(), header(&made, "location")),
        (201, "http://s.example/1\n", Some("/1"))
    );
    for _ in 0..2 {
        let followed = get(&store, "/1");
        assert_eq!((followed.status, header(&followed, "location")), (302, Some("https://a.example/b?c=d")));
    }
    assert_eq!(ask(&store, &asked("HEAD", "/1")).status, 302);
    let stats = text(&get(&store, "/stats.json"));
    assert_eq!(
        stats,
        "{\"links\":[{\"slug\":\"1\",\"url\":\"https://a.example/b?c=d\",\"visits\":2}],\"next\":null}\n"
    );
}

#[test]
fn a_name_is_given_once() {
    let store = Memory::default();
    assert_eq!(text(&post(&store, "/?as=team", None, "https://a.example/")), "http://s.example/team\n");
    let second = post(&store, "/?as=team", None, "https://b.example/");
    assert_eq!(second.status, 409);
    assert!(text(&second).contains("the name team is taken"), "{}", text(&second));
    assert_eq!(header(&get(&store, "/team"), "location"), Some("https://a.example/"));
    // The third link draws 3, which somebody has chosen as a name by now: it goes on to 4.
    assert_eq!(post(&store, "/?as=3", None, "https://c.example/").status, 201);
    assert_eq!(text(&post(&store, "/", None, "https://d.example/")), "http://s.example/4\n");
    assert_eq!(header(&get(&store, "/3"), "location"), Some("https://c.example/"));
}

#[test]
fn forms() {
    let store = Memory::default();
    let made = post(&store, "/", FORM, "url=https%3A%2F%2Fa.example%2F%3Fb%26c&as=");
    assert_eq!(text(&made), "http://s.example/1\n");
    assert_eq!(header(&get(&store, "/1"), "location"), Some("https://a.example/?b&c"));
    assert_eq!(text(&post(&store, "/", FORM, "as=named&url=http://b.example")), "http://s.example/named\n");
    let body = b"url=https://a.example/%22%3E%3Cscript%3E";
    let page = ask(&store, &Asked { accept: BROWSER, content_type: FORM, body, ..asked("POST", "/") });
    assert_eq!((page.status, page.content_type), (201, "text/html; charset=utf-8"));
    assert!(text(&page).contains("https://a.example/&quot;&gt;&lt;script&gt;"), "{}", text(&page));
}

#[test]
fn refusals() {
    let store = Memory::default();
    let long = format!("https://a.example/{}", "x".repeat(2048));
    for (target, content_type, body, status) in [
        ("/", None, "", 400),
        ("/", None, "ftp://a.example/", 400),
        ("/", None, "javascript:alert(1)", 400),
        ("/", None, "https://a.example/\u{1}", 400),
        ("/", None, "https://a.example/\r\nx: y", 400),
        ("/", None, &long, 400),
        ("/", FORM, "u=https://a.example", 400),
        ("/", FORM, "url=https://a.example/%FF", 400),
        ("/", Some("application/json"), "{}", 415),
        ("/?as=a%2Fb", None, "https://a.example/", 400),
        ("/?as=", None, "https://a.example/", 400),
        ("/1", None, "https://a.example/", 405),
    ] {
        let reply = post(&store, target, content_type, body);
        assert_eq!(reply.status, status, "{target} {body}: {}", text(&reply));
    }
    assert!(store.0.borrow().is_empty(), "a refusal leaves nothing behind");
    for (target, status) in [
        ("/1", 404),
        ("/a/b", 404),
        ("/favicon.ico", 404),
        ("/?before=x", 400),
        ("/?before=0", 200),
        ("/", 200),
        ("/stats.json", 200),
    ] {
        assert_eq!(get(&store, target).status, status, "{target}");
    }
    assert_eq!(header(&ask(&store, &asked("DELETE", "/")), "allow"), Some("GET, HEAD, POST"));
}

#[test]
fn the_page_shows_the_newest_first_and_the_rest_by_pages() {
    let store = Memory::default();
    for number in 1..=45 {
        assert_eq!(post(&store, "/", None, &format!("https://a.example/{number}/<b>")).status, 201);
    }
    // A number that was drawn by somebody who then went away.
    store.0.borrow_mut().remove("entry:44");
    let first = text(&get(&store, "/"));
    assert!(first.contains("https://a.example/45/&lt;b&gt;") && !first.contains("/44/") && !first.contains("/25/"));
    assert!(first.contains("href=\"/?before=26\""), "{first}");
    let last = text(&get(&store, "/?before=6"));
    assert!(last.contains("https://a.example/5/") && last.contains("/1/") && !last.contains("Older"), "{last}");
    let beyond = text(&get(&store, "/?before=18446744073709551615"));
    assert!(beyond.contains("https://a.example/45/"));
}

#[test]
fn stats_go_through_the_whole_store_by_cursor() {
    let store = Memory::default();
    for number in 1..=10 {
        post(&store, "/", None, &format!("https://a.example/{number}"));
        get(&store, &format!("/{}", if number == 10 { "a".to_owned() } else { number.to_string() }));
    }
    let (mut seen, mut target) = (Vec::new(), "/stats.json".to_owned());
    loop {
        let page: serde_json::Value = serde_json::from_str(&text(&get(&store, &target))).unwrap();
        for link in page["links"].as_array().unwrap() {
            assert_eq!(link["visits"], 1);
            seen.push(link["slug"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => target = format!("/stats.json?cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "a"]);
}

#[test]
fn a_store_that_fails_says_what_to_do_and_tells_the_operator_why() {
    let refused = |error: StoreError, accept| {
        let mut logged = String::new();
        let asked = Asked { accept, ..asked("GET", "/") };
        let reply = answer(&asked, || Err::<&Memory, _>(error), |line| logged = line.to_owned());
        (reply.status, reply.content_type, text(&reply), logged)
    };
    let (status, kind, body, logged) = refused(StoreError::NotGranted, BROWSER);
    assert_eq!((status, kind, logged.as_str()), (503, "text/html; charset=utf-8", ""));
    assert!(body.contains("keyvalue = [&quot;default&quot;]"), "{body}");
    let (status, _, body, logged) = refused(StoreError::Failed("disk on fire".to_owned()), None);
    assert_eq!((status, logged.as_str()), (503, "disk on fire"));
    assert!(!body.contains("fire"), "{body}");
}
