//! Programs that answer by CGI: core modules of preview 1 and components, of which none knows HTTP.

use anyhow::{Context as _, ensure};
use cumulet_scenarios::cases::cases;
use cumulet_scenarios::http1::Reply;
use cumulet_scenarios::once::cumulet;
use cumulet_scenarios::server::Server;
use cumulet_scenarios::{output, paths};

const WORLDS: [&str; 2] = ["p1", "p2"];
/// Who notices first that a client has left, the node or the program, is another one each time.
const LEAVING_TURNS: u32 = 20;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default = "get")]
    method: String,
    path: String,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    body: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default = "served")]
    outcome: String,
    /// What the operator is told has to hold this.
    detail: Option<String>,
    /// A header field of the answer.
    header: Option<String>,
    #[serde(default)]
    body_lines: Vec<String>,
    #[serde(default)]
    body_lacks: Vec<String>,
    body_bytes: Option<usize>,
    /// The program answers before it fails. Where its slice ends in between, the answer is out already.
    #[serde(default)]
    answers_first: bool,
}

fn get() -> String {
    "GET".to_owned()
}

fn ok() -> u16 {
    200
}

fn served() -> String {
    "ok".to_owned()
}

#[test]
fn programs_answer_as_their_output_says() -> anyhow::Result<()> {
    let cases: Vec<Case> = cases("cgi.toml")?;
    paths::module("cgi.wasm")?;
    let server = Server::app("cgi.toml")?;
    let mut failures = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        for world in WORLDS {
            if let Err(error) = check(&server, case, world, &format!("cgi-{index}-{world}")) {
                failures.push(format!("{world} {} {}: {error:#}", case.method, case.path));
            }
        }
    }
    ensure!(failures.is_empty(), "{} of {}:\n{}", failures.len(), 2 * cases.len(), failures.join("\n"));
    server.stop()
}

fn check(server: &Server, case: &Case, world: &str, id: &str) -> anyhow::Result<()> {
    let (id_line, length) = (format!("x-request-id: {id}"), format!("content-length: {}", case.body.len()));
    let mut headers: Vec<&str> = case.headers.iter().map(String::as_str).collect();
    headers.push(&id_line);
    if !case.body.is_empty() {
        headers.push(&length);
    }
    let mut connection = server.connect()?;
    connection.request(&case.method, &format!("/{world}{}", case.path), &headers)?;
    connection.send(case.body.as_bytes())?;
    let reply = connection.reply(&case.method)?;
    if !(case.answers_first && reply.status() == 200) {
        check_reply(case, world, &reply)?;
    }
    let event = server.invocation(id)?;
    ensure!(output::text(&event, "outcome") == Some(&case.outcome), "{event}");
    if let Some(part) = &case.detail {
        ensure!(output::text(&event, "detail").is_some_and(|detail| detail.contains(part)), "no {part:?}: {event}");
    }
    Ok(())
}

fn check_reply(case: &Case, world: &str, reply: &Reply) -> anyhow::Result<()> {
    ensure!(reply.status() == case.status && reply.complete, "not {}: {:?} {}", case.status, reply.head, reply.text());
    let text = reply.text();
    for line in &case.body_lines {
        let line = line.replace("WORLD", world);
        ensure!(text.lines().any(|found| found == line), "no line {line:?} in:\n{text}");
    }
    for part in &case.body_lacks {
        ensure!(!text.contains(part), "{part:?} in:\n{text}");
    }
    if let Some((name, value)) = case.header.as_ref().and_then(|header| header.split_once(": ")) {
        ensure!(reply.header(name) == Some(value), "{:?}", reply.head);
    }
    if let Some(bytes) = case.body_bytes {
        ensure!(reply.body.len() == bytes, "{} bytes, not {bytes}", reply.body.len());
    }
    Ok(())
}

#[test]
fn what_comes_in_is_answered_while_more_comes() -> anyhow::Result<()> {
    let server = Server::app("cgi.toml")?;
    for world in WORLDS {
        let mut connection = server.connect()?;
        connection.request("POST", &format!("/{world}/lines"), &["transfer-encoding: chunked"])?;
        connection.head()?;
        ensure!(connection.chunk()?.context("a first line")? == b"ready\n", "{world}");
        for line in ["one", "two", "three"] {
            connection.send_chunk(format!("{line}\n").as_bytes())?;
            let answer = connection.chunk()?.context("an answer")?;
            ensure!(answer == format!("got {line}\n").as_bytes(), "{world}: {}", String::from_utf8_lossy(&answer));
        }
        connection.send_chunk(b"")?;
        ensure!(connection.chunk()?.is_none(), "{world}: the program ends with its input");
    }
    server.stop()
}

#[test]
fn a_client_that_leaves_ends_the_program() -> anyhow::Result<()> {
    let server = Server::app("cgi.toml")?;
    for turn in 0..LEAVING_TURNS {
        for (world, path) in WORLDS.into_iter().flat_map(|world| [(world, "forever"), (world, "lines")]) {
            let id = format!("gone-{world}-{path}-{turn}");
            let mut connection = server.connect()?;
            let headers = ["transfer-encoding: chunked", &format!("x-request-id: {id}")];
            connection.request("POST", &format!("/{world}/{path}"), &headers)?;
            connection.head()?;
            drop(connection);
            // Whatever the program makes of it: each of these fails where it can no longer read or write.
            let event = server.invocation(&id)?;
            ensure!(output::text(&event, "outcome") == Some("client-gone"), "{world}/{path}, turn {turn}: {event}");
        }
    }
    server.stop()
}

#[test]
fn what_a_program_complains_of_goes_to_the_operator() -> anyhow::Result<()> {
    let server = Server::app("cgi.toml")?;
    for world in WORLDS {
        let id = format!("log-{world}");
        let reply = server.get(&format!("/{world}/log"), &[&format!("x-request-id: {id}")])?;
        ensure!(reply.text() == "to the client\n", "{reply:?}");
        let printed = server.stderr.wait_for("what it printed", |line| {
            output::event(line).filter(|event| output::text(event, "text") == Some("to the operator"))
        })?;
        ensure!(output::text(&printed, "stream") == Some("stderr"), "{printed}");
    }
    server.stop()
}

#[test]
fn a_bare_module_is_served() -> anyhow::Result<()> {
    let server = Server::up(&paths::module("cgi.wasm")?, &[])?;
    let reply = server.get("/exit", &[])?;
    ensure!(reply.status() == 200 && reply.text() == "whole\n", "{reply:?}");
    server.stop()
}

#[test]
fn a_program_of_wasi_03_answers_too() -> anyhow::Result<()> {
    let server = Server::up(&paths::guest("cgi_p3.wasm")?, &[])?;
    let body = "0123456789".repeat(50_000);
    let mut connection = server.connect()?;
    connection.request("POST", "/", &[&format!("content-length: {}", body.len())])?;
    let mut sending = connection.try_clone()?;
    let reply = std::thread::scope(|scope| {
        // The program sends back what it has read, and waits for whoever reads that.
        scope.spawn(|| sending.send(body.as_bytes()));
        connection.reply("POST")
    })?;
    ensure!(reply.status() == 200 && reply.text() == format!("POST {body}"), "{} bytes", reply.body.len());
    let id = "failed";
    let mut connection = server.connect()?;
    connection.request("DELETE", "/", &[&format!("x-request-id: {id}")])?;
    let reply = connection.reply("DELETE")?;
    ensure!(reply.status() == 500 && server.outcome(id)? == "trap", "{reply:?}");
    server.stop()
}

#[test]
fn a_program_is_linked_as_every_component() -> anyhow::Result<()> {
    for program in [paths::module("cgi-linked.wasm")?, paths::guest("cgi-linked.wasm")?] {
        let folder = tempfile::tempdir()?;
        let manifest = format!(
            r#"manifest = 1
[app]
name = "linked"
[component.front]
source = {:?}
[component.front.link]
"acme:auth/verify" = "auth"
[component.auth]
source = {:?}
[component.auth.grant]
keyvalue = ["users"]
blobstore = ["users"]
sqlite = ["users"]
[[trigger.http]]
route = "/*"
component = "front"
"#,
            program.canonicalize()?,
            paths::guest("linked_auth.wasm")?.canonicalize()?,
        );
        let path = folder.path().join("cumulet.toml");
        std::fs::write(&path, manifest)?;
        let server = Server::up(&path, &[])?;
        for (query, expect) in [
            ("token-of-ada", "ada was here 1 times\n"),
            ("token-of-ada", "ada was here 2 times\n"),
            ("nonsense", "refused: \"nonsense\" is no token\n"),
        ] {
            let reply = server.get(&format!("/?{query}"), &[])?;
            ensure!(reply.text() == expect, "{}: {reply:?}", program.display());
        }
        server.stop()?;
    }
    Ok(())
}

#[test]
fn the_example_is_a_web_function_and_a_command() -> anyhow::Result<()> {
    let example = paths::repository().join("examples");
    let program = example.join("target/wasm32-wasip1/release/cgi-csv.wasm");
    ensure!(program.is_file(), "{} is missing: run `cargo xtask guests`", program.display());
    let table = std::fs::read(example.join("cgi-csv/data/planets.csv"))?;
    let readme = std::fs::read_to_string(example.join("cgi-csv/README.md"))?;
    let expect = readme.split("```\n").nth(2).context("the README shows what comes out")?;

    let server = Server::up(&program, &[])?;
    let mut connection = server.connect()?;
    connection.request("POST", "/", &[&format!("content-length: {}", table.len())])?;
    connection.send(&table)?;
    let reply = connection.reply("POST")?;
    ensure!(reply.status() == 200 && reply.text() == expect, "{}\nnot\n{expect}", reply.text());
    ensure!(server.get("/", &[])?.status() == 405);
    server.stop()?;

    let ended = cumulet(&["run".as_ref(), program.as_os_str()], &table)?;
    ensure!(ended.code == Some(0) && ended.stdout == expect, "{ended:?}");
    Ok(())
}
