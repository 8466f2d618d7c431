//! Routes, request ids, error bodies, HEAD, what a guest sees of a request.

use anyhow::ensure;
use cumulet_scenarios::cases::cases;
use cumulet_scenarios::http1::Reply;
use cumulet_scenarios::server::Server;

const WORLDS: [&str; 2] = ["/p2", "/p3"];

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    method: Option<String>,
    path: String,
    host: Option<String>,
    who: Option<String>,
}

#[test]
fn routes_choose_exact_then_longest_prefix_and_host_first() -> anyhow::Result<()> {
    let cases: Vec<Case> = cases("routes.toml")?;
    let server = Server::app("http.toml")?;
    let mut failures = Vec::new();
    for case in &cases {
        let method = case.method.as_deref().unwrap_or("GET");
        let host = case.host.as_deref().unwrap_or("localhost");
        let mut connection = server.connect()?;
        connection
            .send(format!("{method} {} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n", case.path).as_bytes())?;
        let reply = connection.reply(method)?;
        let matches = match &case.who {
            Some(who) => reply.status() == 200 && reply.text().contains(&format!("WHO={who}\n")),
            None => reply.status() == 404,
        };
        if !matches {
            failures.push(format!("{method} {host} {}: {} {:?}", case.path, reply.status(), reply.text()));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    server.stop()
}

#[test]
fn a_request_id_is_kept_where_it_is_valid_and_made_otherwise() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let longest = "x".repeat(64);
    for kept in ["a", "A-b_c.9", longest.as_str()] {
        let reply = server.get("/p2/count", &[&format!("x-request-id: {kept}")])?;
        ensure!(reply.id()? == kept, "{kept} became {}", reply.id()?);
    }
    let too_long = "x".repeat(65);
    for replaced in ["", "a b", "a\tb", "a/b", "ü", "a,b", too_long.as_str()] {
        let reply = server.get("/p2/count", &[&format!("x-request-id: {replaced}")])?;
        let id = reply.id()?;
        ensure!(id != replaced && is_valid(id), "{replaced:?} became {id:?}");
    }
    let (one, two) = (server.get("/p2/count", &[])?, server.get("/nowhere", &[])?);
    ensure!(is_valid(one.id()?) && is_valid(two.id()?) && one.id()? != two.id()?, "{one:?} {two:?}");
    server.stop()
}

fn is_valid(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[test]
fn an_error_is_short_text_or_problem_json_and_tells_nothing_of_the_inside() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for (path, status) in [("/nowhere", 404), ("/p2/panic", 500), ("/p3/panic", 500), ("/p2/never-answer", 500)] {
        let plain = server.get(path, &[])?;
        check_error(&plain, status)?;
        let content_type = plain.header("content-type").unwrap_or_default();
        ensure!(content_type.starts_with("text/plain"), "{path}: {plain:?}");
        ensure!(!plain.text().contains("as asked"), "{path} tells what happened inside: {plain:?}");

        let json = server.get(path, &["accept: application/json"])?;
        check_error(&json, status)?;
        ensure!(json.header("content-type") == Some("application/problem+json"), "{path}: {json:?}");
        let problem: serde_json::Value = serde_json::from_slice(&json.body)?;
        ensure!(problem["status"] == status && problem["title"].is_string(), "{path}: {problem}");
    }
    server.stop()
}

fn check_error(reply: &Reply, status: u16) -> anyhow::Result<()> {
    ensure!(reply.status() == status && reply.complete, "not {status}: {reply:?}");
    ensure!(reply.body.len() < 1024, "long: {reply:?}");
    reply.id()?;
    Ok(())
}

#[test]
fn head_gets_the_head_alone() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for path in ["/p2/count", "/p3/count", "/nowhere", "/p2/panic"] {
        let status = server.get(path, &[])?.status();
        let mut connection = server.connect()?;
        connection.request("HEAD", path, &[])?;
        let reply = connection.reply("HEAD")?;
        ensure!(reply.status() == status, "{path}: {reply:?}");
        // A body would stand in the way of the next response.
        connection.request("GET", "/p2/count", &[])?;
        let next = connection.reply("GET")?;
        ensure!(next.status() == 200 && next.body == b"1\n", "after HEAD {path}: {next:?}");
    }
    server.stop()
}

#[test]
fn a_connection_serves_many_requests_also_after_errors() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let mut connection = server.connect()?;
    for path in ["/p2/count", "/nowhere", "/p2/panic", "/p3/count", "/p3/panic", "/p2/status?code=204", "/p2/count"] {
        connection.request("GET", path, &[])?;
        connection.reply("GET").map_err(|error| error.context(path))?;
    }
    server.stop()
}

#[test]
fn a_guest_sees_the_request_as_it_came() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let reply = server.get("/p2/a%2Fb/headers?x=1&y=%20", &["x-one: 1", "x-two: 2", "x-two: zwei"])?;
    let seen = reply.text();
    for line in ["method Method::Get", "\"/p2/a%2Fb/headers?x=1&y=%20\"", "x-one: 1", "x-two: 2", "x-two: zwei"] {
        ensure!(seen.contains(line), "no {line} in {seen}");
    }
    // What belongs to the connection is not the guest's.
    let reply = server.get("/p2/headers", &["connection: keep-alive", "keep-alive: timeout=5"])?;
    ensure!(!reply.text().contains("\nconnection:") && !reply.text().contains("\nkeep-alive:"), "{reply:?}");
    server.stop()
}

#[test]
fn a_guest_sets_any_status_and_no_body() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    for code in [200, 201, 204, 304, 404, 418, 503] {
        let reply = server.get(&format!("/p2/status?code={code}"), &[])?;
        ensure!(reply.status() == code && reply.body.is_empty() && reply.complete, "{code}: {reply:?}");
    }
    server.stop()
}

#[test]
fn malformed_requests_end_in_400_and_hurt_nobody() -> anyhow::Result<()> {
    let server = Server::app("http.toml")?;
    let malformed: [&[u8]; 6] = [
        b"nonsense\r\n\r\n",
        b"GET /p2/count\r\n\r\n",
        b"GET /p2/count HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n",
        b"POST /p2/echo HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
        b"POST /p2/echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n",
        b"POST /p2/echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    ];
    for bytes in malformed {
        let mut connection = server.connect()?;
        connection.send(bytes)?;
        // A refusal is a 4xx or a closed connection; never a served request.
        if let Ok(head) = connection.head() {
            ensure!((400..500).contains(&head.status), "{:?}: {head:?}", String::from_utf8_lossy(bytes));
        }
    }
    for world in WORLDS {
        ensure!(server.get(&format!("{world}/count"), &[])?.status() == 200, "{world} still serves");
    }
    server.stop()
}
