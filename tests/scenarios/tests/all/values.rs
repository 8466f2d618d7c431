//! Configuration and secrets, from where they are kept to the guest that reads them.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::server::Server;
use cumulet_scenarios::{paths, patience};

const SECRET: &str = "correct horse battery staple";

/// Runs `cumulet secret` on an app.
fn secret(manifest: &Path, data: &Path, arguments: &[&str], input: &str) -> anyhow::Result<Output> {
    use std::io::Write as _;
    let mut child = Command::new(paths::binary()?)
        .arg("secret")
        .args(arguments)
        .arg("--app")
        .arg(manifest)
        .arg("--data-dir")
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("standard input is piped")?.write_all(input.as_bytes())?;
    Ok(child.wait_with_output()?)
}

/// Serves an app whose components import every store: without grants of them they start with `--observe` alone.
fn served(manifest: &Path, data: &Path, environment: &[(&str, &str)]) -> anyhow::Result<Server> {
    let observed = format!("--observe={}", data.join("observed.toml").display());
    Server::up_in(data, manifest, &[observed.as_str()], environment)
}

#[test]
fn values_come_from_the_manifest_the_environment_and_files() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("flags.json"), "{\"beta\":false}")?;
    let grant = "config = { greeting = \"hello\", region = { env = \"REGION\" }, flags = { file = \"flags.json\" } }";
    let manifest = paths::manifest(folder.path(), &[("a", "stores.wasm", grant), ("b", "stores.wasm", "")])?;
    let server = served(&manifest, folder.path(), &[("REGION", "eu-west-1"), ("OTHER", "no")])?;
    for (key, expected) in [
        ("greeting", "get Some(\"hello\")\n"),
        ("region", "get Some(\"eu-west-1\")\n"),
        ("flags", "get Some(\"{\\\"beta\\\":false}\")\n"),
        ("OTHER", "get None\n"),
        ("other", "get None\n"),
    ] {
        let reply = server.get(&format!("/a/config?key={key}"), &[])?;
        ensure!(reply.text() == expected, "{key}: {reply:?}");
        let reply = server.get(&format!("/b/config?key={key}"), &[])?;
        ensure!(reply.text() == "get None\n", "{key}: {reply:?}");
    }
    server.stop()
}

#[test]
fn a_changed_file_is_a_changed_value_without_a_restart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("flags");
    std::fs::write(&file, "old")?;
    let manifest =
        paths::manifest(folder.path(), &[("a", "stores.wasm", "config = { flags = { file = \"flags\" } }")])?;
    let server = served(&manifest, folder.path(), &[])?;
    ensure!(server.get("/a/config?key=flags", &[])?.text() == "get Some(\"old\")\n");
    // As rollouts do it: written aside, and renamed.
    std::fs::write(folder.path().join("aside"), "new")?;
    std::fs::rename(folder.path().join("aside"), &file)?;
    patience::until("the value is the new one", || {
        Ok(server.get("/a/config?key=flags", &[])?.text() == "get Some(\"new\")\n")
    })?;
    // A file that is gone changes nothing.
    std::fs::remove_file(&file)?;
    server.stderr.wait_for("warning", |line| line.contains("stays as it was").then_some(()))?;
    ensure!(server.get("/a/config?key=flags", &[])?.text() == "get Some(\"new\")\n");
    server.stop()
}

#[test]
fn a_secret_reaches_its_component_and_nobody_else() -> anyhow::Result<()> {
    let (folder, data) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let grant = "secret = [\"API_KEY\", \"FROM_ENV\"]\nconfig = { API_KEY = \"shadowed\", open = \"yes\" }";
    let manifest = paths::manifest(folder.path(), &[("a", "stores.wasm", grant), ("b", "stores.wasm", "")])?;
    let set = secret(&manifest, data.path(), &["set", "API_KEY"], &format!("{SECRET}\n"))?;
    ensure!(set.status.success(), "{set:?}");
    let list = secret(&manifest, data.path(), &["list", "--json"], "")?;
    ensure!(list.stdout == b"{\"app\":\"granted\",\"secrets\":[\"API_KEY\"]}\n", "{list:?}");
    let environment = [("CUMULET_SECRET_FROM_ENV", "token-7")];
    let server = served(&manifest, data.path(), &environment)?;
    let get = |path: &str| -> anyhow::Result<String> { Ok(server.get(path, &[])?.text()) };
    ensure!(get("/a/config?key=API_KEY")? == format!("get Some({SECRET:?})\n"));
    ensure!(get("/a/config?key=FROM_ENV")? == "get Some(\"token-7\")\n");
    ensure!(get("/b/config?key=API_KEY")? == "get None\n");
    // Who lists everything probably prints it.
    let all = get("/a/config")?;
    ensure!(all.contains("\"yes\"") && !all.contains(SECRET) && !all.contains("token-7"), "{all}");
    let metrics = server.admin("/metrics")?.text();
    let (stdout, stderr) = (server.stdout.clone(), server.stderr.clone());
    server.stop()?;
    for line in stdout.lines().into_iter().chain(stderr.lines()).chain([metrics]) {
        ensure!(!line.contains(SECRET) && !line.contains("token-7"), "{line}");
    }
    for entry in std::fs::read_dir(data.path())? {
        let path = entry?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path)?;
            let holds = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
            ensure!(!holds, "{} holds the secret", path.display());
        }
    }
    Ok(())
}

#[test]
fn a_process_with_secrets_leaves_no_core_dump() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = paths::manifest(folder.path(), &[("a", "stores.wasm", "secret = [\"A\"]")])?;
    let server = served(&manifest, folder.path(), &[("CUMULET_SECRET_A", SECRET)])?;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id()))?;
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).context("a limit of core files")?;
    ensure!(core.split_whitespace().nth(4) == Some("0"), "{core}");
    server.stop()
}

#[test]
fn a_value_that_is_not_there_is_told_before_anything_is_served() -> anyhow::Result<()> {
    for (grant, expected) in [
        ("secret = [\"MISSING\"]", "the secret `MISSING` has no value"),
        ("config = { a = { env = \"UNSET_HERE\" } }", "comes from the variable `UNSET_HERE`, which is not set"),
        ("config = { a = { file = \"none.txt\" } }", "cannot be read from"),
        ("postgres = [\"main\"]", "nothing is bound to the granted name `postgres.main`"),
    ] {
        let folder = tempfile::tempdir()?;
        let manifest = paths::manifest(folder.path(), &[("a", "stores.wasm", grant)])?;
        let error = served(&manifest, folder.path(), &[]).err().context("it served")?.to_string();
        ensure!(error.contains(expected), "{grant}: {error}");
    }
    Ok(())
}

#[test]
fn an_apps_own_roots_are_read_or_told_about() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = paths::manifest(folder.path(), &[("a", "hostile.wasm", "")])?;
    let text = std::fs::read_to_string(&manifest)?;
    std::fs::write(&manifest, text.replacen("[app]\n", "[app]\nroots = [\"ca.pem\"]\n", 1))?;
    let error = Server::up(&manifest, &[]).err().context("it served")?.to_string();
    ensure!(error.contains("ca.pem") && error.contains("`roots` in `[app]`"), "{error}");
    std::fs::write(folder.path().join("ca.pem"), "no certificate")?;
    let error = Server::up(&manifest, &[]).err().context("it served")?.to_string();
    ensure!(error.contains("ca.pem") && error.contains("`roots` in `[app]`"), "{error}");
    Ok(())
}

#[test]
fn the_clocks_of_guests_move_in_the_steps_that_were_asked_for() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = paths::manifest(folder.path(), &[("a", "stores.wasm", "keyvalue = [\"default\"]")])?;
    let observed = format!("--observe={}", folder.path().join("observed.toml").display());
    let server = Server::up(&manifest, &["--clock-step", "1ms", &observed])?;
    let text = server.get("/a/bench?bucket=default&do=set&n=50", &[])?.text();
    let nanos = text.lines().map(str::parse::<u64>).collect::<Result<Vec<_>, _>>()?;
    ensure!(nanos.len() == 50 && nanos.iter().all(|nanos| nanos % 1_000_000 == 0), "{nanos:?}");
    server.stop()
}

#[test]
fn a_wrong_filter_of_the_log_is_told_before_anything_is_served() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = paths::manifest(folder.path(), &[("a", "hostile.wasm", "")])?;
    let error = Server::up_where(&manifest, &[], &[("CUMULET_LOG", "x=loudly")]).err().context("it served")?;
    ensure!(error.to_string().contains("CUMULET_LOG holds no filter"), "{error}");
    Ok(())
}
