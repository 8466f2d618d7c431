//! Each feature of WebAssembly 3.0 in a program that answers requests.

use std::fmt::Write as _;

use anyhow::ensure;
use cumulet_scenarios::cases::cases;
use cumulet_scenarios::server::Server;
use cumulet_scenarios::{output, paths};
use cumulet_servers::Toolchain;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: String,
    #[serde(default = "default_memory")]
    memory: String,
    #[serde(default)]
    body: String,
    /// What is answered with status 200; without it, an error.
    answer: Option<String>,
    #[serde(default = "served")]
    outcome: String,
}

fn served() -> String {
    "ok".to_owned()
}

fn default_memory() -> String {
    "128MiB".to_owned()
}

#[test]
fn each_feature_answers_a_request() -> anyhow::Result<()> {
    let cases: Vec<Case> = cases("wasm3.toml")?;
    let mut manifest = "manifest = 1\n[app]\nname = \"wasm3\"\n".to_owned();
    for (number, Case { file, memory, .. }) in cases.iter().enumerate() {
        let source = paths::text_guest(&format!("wasm3/{file}"))?.canonicalize()?;
        writeln!(manifest, "[component.c{number}]\nsource = {source:?}\nlimit = {{ memory = {memory:?} }}")?;
        writeln!(manifest, "[[trigger.http]]\nroute = \"/{number}\"\ncomponent = \"c{number}\"")?;
    }
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("cumulet.toml");
    std::fs::write(&path, manifest)?;
    let server = Server::up(&path, &[])?;
    let mut failures = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        if let Err(error) = check(&server, number, case) {
            failures.push(format!("{} with {}: {error:#}", case.file, case.memory));
        }
    }
    ensure!(failures.is_empty(), "{} of {}:\n{}", failures.len(), cases.len(), failures.join("\n"));
    server.stop()
}

/// What a compiler makes of garbage collection and exceptions.
#[test]
fn a_program_in_kotlin_answers() -> anyhow::Result<()> {
    let program = paths::repository().join("tests/guests/target/kotlin/words.wasm");
    if !program.is_file() {
        return Toolchain::left_out("a program in Kotlin");
    }
    let server = Server::up(&program, &[])?;
    for (query, status, answer) in [
        ("pear+fig+banana", 200, "fig was 1\npear was 0\nbanana was 2\n"),
        ("pear+7", 422, "7 is no word\n"),
        ("", 422, " is no word\n"),
    ] {
        let reply = server.get(&format!("/?{query}"), &[])?;
        ensure!((reply.status(), reply.text().as_str()) == (status, answer), "{query}: {reply:?}");
    }
    server.stop()
}

fn check(server: &Server, number: usize, case: &Case) -> anyhow::Result<()> {
    let (id, length) = (format!("wasm3-{number}"), format!("content-length: {}", case.body.len()));
    let mut connection = server.connect()?;
    connection.request("POST", &format!("/{number}"), &[&format!("x-request-id: {id}"), &length])?;
    connection.send(case.body.as_bytes())?;
    let reply = connection.reply("POST")?;
    let event = server.invocation(&id)?;
    ensure!(output::text(&event, "outcome") == Some(&case.outcome), "{event}");
    let answer = (reply.status() == 200).then(|| reply.text());
    ensure!(answer == case.answer, "{answer:?}, not {:?}: {event}", case.answer);
    Ok(())
}
