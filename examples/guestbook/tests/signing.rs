//! Requests against a SQLite in memory.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a store for tests, of which everything is known")]

use guest_http::{Query, Reply};
use guestbook::answer::{Asked, answer};
use guestbook::database::{Database, DatabaseError, Value};
use rusqlite::types::ValueRef;

struct Sqlite(rusqlite::Connection);

impl Sqlite {
    fn new() -> Self {
        Self(rusqlite::Connection::open_in_memory().unwrap())
    }

    fn run(&self, statement: &str, parameters: &[Value]) -> rusqlite::Result<Vec<Vec<Value>>> {
        let mut statement = self.0.prepare(statement)?;
        let columns = statement.column_count();
        let parameters = parameters.iter().map(|value| match value {
            Value::Integer(number) => rusqlite::types::Value::Integer(*number),
            Value::Text(text) => rusqlite::types::Value::Text(text.clone()),
        });
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let value = |column| match row.get_ref(column).unwrap() {
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Text(text) => Value::Text(String::from_utf8(text.to_vec()).unwrap()),
                other => panic!("{other:?}"),
            };
            all.push((0..columns).map(value).collect());
        }
        Ok(all)
    }
}

impl Database for &Sqlite {
    fn execute(&self, statement: &str, parameters: &[Value]) -> Result<Vec<Vec<Value>>, DatabaseError> {
        self.run(statement, parameters).map_err(|error| DatabaseError::Failed(error.to_string()))
    }
}

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const BROWSER: Option<&str> = Some("text/html,*/*");

fn asked<'r>(method: &'r str, target: &'r str) -> Asked<'r> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Asked { method, path, query: Query::new(query), accept: None, content_type: None, body: b"" }
}

fn ask(database: &Sqlite, asked: &Asked<'_>) -> Reply {
    answer(asked, || Ok(database), |line| panic!("{line}"))
}

fn get(database: &Sqlite, target: &str) -> String {
    let reply = ask(database, &asked("GET", target));
    assert_eq!(reply.status, 200, "{target}");
    text(&reply)
}

fn sign(database: &Sqlite, body: &str) -> Reply {
    ask(database, &Asked { content_type: FORM, body: body.as_bytes(), ..asked("POST", "/") })
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.concat()).unwrap()
}

#[test]
fn an_entry_is_written_once_and_shown_to_everybody() {
    let database = Sqlite::new();
    assert_eq!(get(&database, "/entries.json"), "{\"entries\":[],\"next\":null}\n");
    let signed = sign(&database, "name=Ada&message=one%0D%0Atwo+%3Cb%3E");
    assert_eq!((signed.status, signed.headers), (303, vec![("location", "/".to_owned())]));
    let page = get(&database, "/");
    assert!(page.contains("<strong>Ada</strong>") && page.contains("<p>one\ntwo &lt;b&gt;</p>"), "{page}");
    let json: serde_json::Value = serde_json::from_str(&get(&database, "/entries.json")).unwrap();
    assert_eq!((&json["entries"][0]["name"], &json["entries"][0]["message"]), (&"Ada".into(), &"one\ntwo <b>".into()));
    let at = json["entries"][0]["at"].as_str().unwrap();
    assert!(at.len() == 20 && at.starts_with("20") && at.ends_with('Z'), "{at}");
    assert_eq!(database.run("pragma user_version", &[]).unwrap(), [[Value::Integer(1)]]);
}

#[test]
fn what_is_written_is_never_a_statement() {
    let database = Sqlite::new();
    assert_eq!(sign(&database, "name='); drop table entry; --&message=\"'?1").status, 303);
    assert!(get(&database, "/").contains("&#39;); drop table entry; --"));
}

#[test]
fn pages_go_back_in_time() {
    let database = Sqlite::new();
    for number in 1..=45 {
        assert_eq!(sign(&database, &format!("name=n{number}&message=m")).status, 303);
    }
    let (mut names, mut target) = (Vec::new(), "/entries.json".to_owned());
    loop {
        let page: serde_json::Value = serde_json::from_str(&get(&database, &target)).unwrap();
        let entries = page["entries"].as_array().unwrap();
        assert!(entries.len() <= 20);
        names.extend(entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()));
        match page["next"].as_i64() {
            Some(next) => target = format!("/entries.json?before={next}"),
            None => break,
        }
    }
    assert_eq!(names, (1..=45).rev().map(|number| format!("n{number}")).collect::<Vec<_>>());
    assert!(get(&database, "/").contains("href=\"/?before=26\""));
    assert!(!get(&database, "/?before=6").contains("Older"));
}

#[test]
fn refusals() {
    let database = Sqlite::new();
    for body in
        ["", "name=Ada", "message=hello", "name=+&message=hello", "name=Ada&message=%FF", "name=a%0Ab&message=c"]
    {
        let reply = sign(&database, body);
        assert_eq!(reply.status, 400, "{body}: {}", text(&reply));
    }
    let json = Asked { content_type: Some("application/json"), body: b"{}", ..asked("POST", "/") };
    assert_eq!(ask(&database, &json).status, 415);
    for (method, target, status) in
        [("GET", "/x", 404), ("DELETE", "/", 405), ("POST", "/entries.json", 405), ("GET", "/?before=x", 400)]
    {
        assert_eq!(ask(&database, &asked(method, target)).status, status, "{method} {target}");
    }
    assert!(database.run("select 1 from entry", &[]).is_err(), "a refusal does not touch the database");
}

#[test]
fn a_person_gets_back_what_they_wrote() {
    let database = Sqlite::new();
    let form = Asked { accept: BROWSER, content_type: FORM, ..asked("POST", "/") };
    let reply = ask(&database, &Asked { body: b"name=&message=%3C/textarea%3E", ..form });
    let page = text(&reply);
    assert!(reply.status == 400 && page.contains("&lt;/textarea&gt;</textarea>"), "{page}");
    assert!(page.contains("a name has 1 to 40 letters"), "{page}");
}

#[test]
fn a_database_that_fails_says_what_to_do_and_tells_the_operator_why() {
    for (error, status, says, logs) in [
        (DatabaseError::NotGranted, 503, "sqlite = [\\\"default\\\"]", ""),
        (DatabaseError::Full, 507, "the book is full", ""),
        (DatabaseError::Failed("disk on fire".to_owned()), 503, "try again", "disk on fire"),
    ] {
        let mut logged = String::new();
        let reply = answer(&asked("GET", "/"), || Err::<&Sqlite, _>(error), |line| logged = line.to_owned());
        assert_eq!((reply.status, logged.as_str()), (status, logs));
        assert!(text(&reply).contains(says), "{}", text(&reply));
    }
}
