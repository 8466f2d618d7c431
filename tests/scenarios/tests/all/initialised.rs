//! Components that export an initialiser: run once before they are compiled, with nothing of the world in it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::admin::Admin;
use cumulet_scenarios::fleet::Fleet;
use cumulet_scenarios::once::cumulet;
use cumulet_scenarios::paths;
use cumulet_scenarios::server::Server;
use serde_json::{Value, json};

/// What the last entry of the table holds that the initialiser fills.
const FILLED: &str = "served 1, initialised 1, last Some(9999800001)";

fn get(server: &Server, path: &str) -> anyhow::Result<String> {
    let reply = server.get(path, &[])?;
    ensure!(reply.status() == 200, "{path}: {reply:?}");
    Ok(reply.text())
}

/// The smallest component that answers, with the initialiser of a file in `tests/data/initialisers`.
fn small_with(initialiser: &str) -> anyhow::Result<String> {
    let small = std::fs::read_to_string(paths::text_guest("small.wat")?)?;
    let body = paths::repository().join("tests/data/initialisers").join(format!("{initialiser}.wat"));
    // Both have a module and an instance of these names.
    let body = std::fs::read_to_string(body)?.replace("$module", "$more").replace("$instance", "$initial");
    let open = small.trim_end().strip_suffix(')').context("a component ends with a bracket")?;
    Ok(format!("{open}\n{body})"))
}

/// An app of that component.
fn app(folder: &Path, initialiser: &str, more: &str) -> anyhow::Result<PathBuf> {
    std::fs::write(folder.join("front.wat"), small_with(initialiser)?)?;
    let manifest = folder.join("cumulet.toml");
    std::fs::write(&manifest, manifest_of(more))?;
    Ok(manifest)
}

fn manifest_of(more: &str) -> String {
    format!(
        "manifest = 1\n[app]\nname = \"shop\"\n[component.front]\nsource = \"front.wat\"\n{more}\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n"
    )
}

#[test]
fn every_isolate_starts_from_what_the_initialiser_left() -> anyhow::Result<()> {
    let server = Server::app("initialised.toml")?;
    for _ in 0..3 {
        ensure!(get(&server, "/taken/table")? == FILLED, "{}", get(&server, "/taken/table")?);
        ensure!(get(&server, "/wrapped/table")? == FILLED, "{}", get(&server, "/wrapped/table")?);
        ensure!(get(&server, "/declined/table")? == "served 1, initialised 0, last None");
    }
    server.stop()
}

#[test]
fn isolates_differ_where_they_must() -> anyhow::Result<()> {
    let server = Server::up_where(&paths::app("initialised.toml")?, &[], &[("HIDDEN", "of the node")])?;
    for component in ["taken", "wrapped", "declined"] {
        let mut seen: Vec<(u64, u128)> = Vec::new();
        for _ in 0..4 {
            let text = get(&server, &format!("/{component}/differ"))?;
            let (random, nanos) = text.split_once(' ').context("two numbers")?;
            let (random, nanos) = (random.parse()?, nanos.parse()?);
            ensure!(seen.iter().all(|(other, before)| *other != random && *before < nanos), "{seen:?} {text}");
            seen.push((random, nanos));
        }
        ensure!(get(&server, &format!("/{component}/environment"))? == "[]");
    }
    server.stop()
}

#[test]
fn check_says_what_becomes_of_an_initialiser() -> anyhow::Result<()> {
    let mut said = String::new();
    for (initialiser, more) in [("trap", ""), ("trap", "snapshot = false"), ("unfit-table", "")] {
        let folder = tempfile::tempdir()?;
        let manifest = app(folder.path(), initialiser, more)?;
        let ended = cumulet(&["check".as_ref(), manifest.as_os_str()], b"")?;
        ensure!(ended.code == Some(0), "{ended:?}");
        let lines = ended.stdout.lines().chain(ended.stderr.lines());
        for line in lines.filter(|line| line.contains("snapshot")) {
            said += &format!("{initialiser} {more}: {line}\n").replace(&folder.path().display().to_string(), "FOLDER");
        }
    }
    insta::assert_snapshot!(said);
    Ok(())
}

#[test]
fn an_initialiser_that_fails_is_one_error_with_the_next_step() -> anyhow::Result<()> {
    let mut said = Vec::new();
    for initialiser in ["trap", "endless", "memory", "random", "parameters"] {
        let folder = tempfile::tempdir()?;
        let manifest = app(folder.path(), initialiser, "")?;
        let data = folder.path().join("data");
        let arguments = ["up", "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir"];
        let mut arguments: Vec<&std::ffi::OsStr> = arguments.iter().map(std::ffi::OsStr::new).collect();
        arguments.extend([data.as_os_str(), manifest.as_os_str()]);
        let ended = cumulet(&arguments, b"")?;
        let last = ended.stderr.lines().last().context("it says why")?;
        let error: Value = serde_json::from_str(last).with_context(|| ended.stderr.clone())?;
        let text = |field: &str| error["error"][field].to_string();
        said.push(format!("{initialiser}: exit {:?}", ended.code));
        said.extend(["what", "why", "next"].map(|field| format!("   {field}: {}", text(field))));
    }
    insta::assert_snapshot!(said.join("\n"));
    Ok(())
}

#[test]
fn what_cannot_be_snapshotted_or_need_not_be_is_served() -> anyhow::Result<()> {
    for (initialiser, more) in [("trap", "snapshot = false"), ("unfit-table", "")] {
        let folder = tempfile::tempdir()?;
        let server = Server::up(&app(folder.path(), initialiser, more)?, &[])?;
        ensure!(server.get("/", &[])?.status() == 200);
        if more.is_empty() {
            server.stderr.wait_for("the reason", |line| line.contains("`table.set`").then_some(()))?;
        }
        server.stop()?;
    }
    Ok(())
}

/// The compile process of a node runs initialisers: one that fails ends its deploy, and its neighbour is served.
#[test]
fn a_deploy_says_why_its_initialiser_failed() -> anyhow::Result<()> {
    let fleet = Fleet::new("[tenant.acme]\n[tenant.evil]\n")?;
    let server = fleet.serve()?;
    let admin = Admin::first(server.admin_address(), &fleet.data())?;
    let deploy = |tenant: &str, bytes: &[u8], more: &str| -> anyhow::Result<Value> {
        let digest = admin.upload(tenant, bytes)?;
        let request = json!({ "manifest": manifest_of(more), "components": { "front": digest.to_string() } });
        admin.ended(&admin.begin(tenant, "shop", &request)?)
    };
    for (initialiser, says) in
        [("trap", "trapped"), ("endless", "2 billion steps"), ("memory", "64MiB"), ("clock", "monotonic-clock")]
    {
        let ended = deploy("evil", small_with(initialiser)?.as_bytes(), "")?;
        let failure = &ended["failure"];
        let text = |field: &str| failure[field].as_str().unwrap_or_default();
        ensure!(text("phase") == "compiled" && text("message").contains(says), "{ended}");
        ensure!(text("next").contains("snapshot = false"), "{ended}");
    }
    let ended = deploy("evil", small_with("trap")?.as_bytes(), "snapshot = false")?;
    ensure!(ended["phase"] == "live", "{ended}");
    let ended = deploy("acme", &std::fs::read(paths::guest("initialised.wasm")?)?, "")?;
    ensure!(ended["phase"] == "live", "{ended}");
    let mut connection = server.connect()?;
    connection.request_to("shop.acme.localhost", ("GET", "/table"), &[])?;
    let reply = connection.reply("GET")?;
    ensure!(reply.text() == FILLED, "{reply:?}");
    server.stop()
}
