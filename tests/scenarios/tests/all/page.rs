//! The page on the admin listener: in a real browser, and by requests that no browser sends.

use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use cumulet_scenarios::admin::Admin;
use cumulet_scenarios::fleet::Fleet;
use cumulet_scenarios::http1::{Connection, Reply};
use cumulet_scenarios::paths;
use cumulet_scenarios::server::Server;
use cumulet_servers::Browser;
use serde_json::{Value, json};

/// Failed attempts that an address has at once, and some more.
const GUESSES: usize = 30;

/// What a browser shows, what it refuses, and who gets in: see `tests/browser`.
#[test]
fn the_page_works_in_a_browser() -> anyhow::Result<()> {
    let folder = paths::repository().join("tests/browser");
    let Some(browser) = Browser::find(&folder) else { return Browser::left_out("the page in a browser") };
    let mut command = browser.tests(&folder, &["page.test.js", "session.test.js"]);
    command.env("CUMULET_BIN", paths::binary()?.canonicalize()?);
    let output = command.stdin(Stdio::null()).output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    std::io::stderr().write_all(&output.stderr)?;
    Ok(())
}

fn ask(server: &Server, host: &str, (method, path): (&str, &str), headers: &[&str]) -> anyhow::Result<Reply> {
    let mut connection = Connection::open(server.admin_address())?;
    connection.request_to(host, (method, path), headers)?;
    connection.reply(method)
}

#[test]
fn the_admin_is_asked_for_by_its_own_names() -> anyhow::Result<()> {
    let fleet = Fleet::new("admin_hosts = [\"edge-1.example.com\"]\n")?;
    let server = fleet.serve()?;
    let address = server.admin_address().to_string();
    for path in ["/", "/metrics", "/ui/main.js"] {
        for host in [&address, "localhost", "LOCALHOST:3001", "edge-1.example.com", "[::1]:3001"] {
            let status = ask(&server, host, ("GET", path), &[])?.status();
            ensure!(status == 200, "{path} at {host}: {status}");
        }
        for host in ["evil.example", "hello.local.localhost", "127.0.0.1.evil.example", "x.edge-1.example.com"] {
            let reply = ask(&server, host, ("GET", path), &[])?;
            ensure!(reply.status() == 421 && reply.text().contains("admin_hosts"), "{path} at {host}: {reply:?}");
        }
    }
    ensure!(ask(&server, "evil.example", ("GET", "/healthz"), &[])?.status() == 200);
    // Whoever sends a token was not led here by a stranger's page.
    let token = std::fs::read_to_string(fleet.data().join("admin.token"))?;
    let token = format!("authorization: Bearer {}", token.trim());
    ensure!(ask(&server, "node.internal", ("GET", "/v1/whoami"), &[&token])?.status() == 200);
    let index = ask(&server, &address, ("GET", "/ui"), &[])?;
    ensure!(index.status() == 308 && index.header("location") == Some("/"), "{index:?}");
    ensure!(ask(&server, &address, ("POST", "/"), &["content-length: 0"])?.status() == 405);
    server.stop()
}

/// A browser that signed in: what it sends with each request.
struct SignedIn {
    headers: [String; 2],
}

impl SignedIn {
    fn with(server: &Server, token: &str) -> anyhow::Result<Self> {
        let body = json!({ "token": token }).to_string();
        let mut connection = Connection::open(server.admin_address())?;
        let length = format!("content-length: {}", body.len());
        let headers = ["content-type: application/json", &length];
        connection.request_to(&server.admin_address().to_string(), ("POST", "/ui/session"), &headers)?;
        connection.send(body.as_bytes())?;
        let reply = connection.reply("POST")?;
        ensure!(reply.status() == 201, "{reply:?}");
        let cookie = reply.header("set-cookie").context("a cookie")?;
        for part in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age=43200"] {
            ensure!(cookie.contains(part), "{cookie}");
        }
        let pair = cookie.split(';').next().context("a cookie has a name")?;
        let signed: Value = serde_json::from_str(&reply.text())?;
        let proof = signed.get("proof").and_then(Value::as_str).context("a proof")?;
        ensure!(!pair.contains(proof), "both halves are one");
        Ok(Self { headers: [format!("cookie: {pair}"), format!("x-cumulet-csrf: {proof}")] })
    }

    fn status(&self, server: &Server, place: (&str, &str)) -> anyhow::Result<u16> {
        let headers = [&self.headers[0], &self.headers[1], "content-length: 0"];
        Ok(ask(server, &server.admin_address().to_string(), place, &headers)?.status())
    }
}

#[test]
fn a_session_is_worth_what_its_token_is() -> anyhow::Result<()> {
    let fleet = Fleet::new("")?;
    let server = fleet.serve()?;
    let admin = Admin::first(server.admin_address(), &fleet.data())?;
    let new = json!({ "name": "screen", "scope": "read", "tenant": "local" });
    let made = admin.call("POST", "/v1/tokens", Some(&new))?.expect(201)?;
    let (id, secret) = (made["id"].as_str().context("an id")?, made["secret"].as_str().context("a secret")?);
    let (one, other) = (SignedIn::with(&server, secret)?, SignedIn::with(&server, secret)?);
    let who = ("GET", "/v1/whoami");
    ensure!(one.status(&server, who)? == 200 && other.status(&server, who)? == 200);
    // It may what the token may, and no more.
    ensure!(one.status(&server, ("DELETE", "/v1/tenants/local/apps/hello"))? == 403);
    ensure!(one.status(&server, ("GET", "/v1/tenants"))? == 403);
    // It ends with sign-out, and no other with it.
    ensure!(one.status(&server, ("DELETE", "/ui/session"))? == 204);
    ensure!(one.status(&server, who)? == 401 && other.status(&server, who)? == 200);
    // It ends with its token.
    admin.call("DELETE", &format!("/v1/tokens/{id}"), None)?.expect(204)?;
    ensure!(other.status(&server, who)? == 401);
    // And with the process.
    let token = std::fs::read_to_string(fleet.data().join("admin.token"))?;
    let first = SignedIn::with(&server, token.trim())?;
    ensure!(first.status(&server, ("GET", "/v1/tenants"))? == 200);
    let audit = admin.call("GET", "/v1/audit?limit=100", None)?.expect(200)?.to_string();
    for action in ["session.begin", "session.end", id] {
        ensure!(audit.contains(action), "{action} in {audit}");
    }
    server.stop()?;
    let server = fleet.serve()?;
    ensure!(first.status(&server, who)? == 401);
    server.stop()
}

#[test]
fn guessing_at_the_door_of_the_page_is_bounded_and_noted() -> anyhow::Result<()> {
    let fleet = Fleet::new("")?;
    let server = fleet.serve()?;
    let admin = Admin::first(server.admin_address(), &fleet.data())?;
    let nobody = admin.with(None);
    let json = "content-type: application/json";
    let mut statuses = Vec::new();
    for guess in 0..GUESSES {
        let body = json!({ "token": format!("cumulet_abcdefgh_{guess:043}") }).to_string();
        let place = if guess % 2 == 0 { ("POST", "/ui/session") } else { ("GET", "/v1/whoami") };
        let port = server.admin_address().port();
        let cookie = format!("cookie: cumulet-session-{port}=guess{guess}");
        statuses.push(nobody.send(place, body.as_bytes(), &[json, &cookie, "x-cumulet-csrf: guess"])?.status);
    }
    let (wrong, waits) = statuses.split_at(20);
    ensure!(wrong.iter().all(|status| *status == 401), "{statuses:?}");
    ensure!(waits.contains(&429), "{statuses:?}");
    let token = std::fs::read_to_string(fleet.data().join("admin.token"))?;
    let right = json!({ "token": token.trim() }).to_string();
    let signed = nobody.send(("POST", "/ui/session"), right.as_bytes(), &[json])?;
    ensure!(signed.status == 201, "whoever has a token waits for those who guess: {signed:?}");
    let audit = admin.call("GET", "/v1/audit?limit=100", None)?.expect(200)?;
    let noted = audit["items"].as_array().into_iter().flatten().filter(|entry| entry["action"] == "token.use").count();
    ensure!((20..GUESSES).contains(&noted), "{noted} entries");
    ensure!(!audit.to_string().contains("cumulet_abcdefgh"), "a token is in the audit log");
    server.stop()
}
