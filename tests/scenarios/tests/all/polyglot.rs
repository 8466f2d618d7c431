//! The example whose parts are written in Rust, Go and Python: one request goes through all three.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::http1::Reply;
use cumulet_scenarios::paths;
use cumulet_scenarios::server::Server;
use cumulet_servers::Toolchain;

const EXAMPLE: &str = "examples/polyglot";

/// Runs a command in a folder of the example, with the tools of both languages.
fn run(tools: &Toolchain, folder: &str, program: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(paths::repository().join(EXAMPLE).join(folder)).stdin(Stdio::null());
    let ended = command.env_remove("CARGO_TARGET_DIR").envs(tools.environment().iter().cloned()).output()?;
    ensure!(ended.status.success(), "{arguments:?} in {folder}: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

/// The example's manifest in `folder`, with what was built.
fn manifest(folder: &Path) -> anyhow::Result<PathBuf> {
    let example = paths::repository().join(EXAMPLE);
    let mut manifest: toml::Table = std::fs::read_to_string(example.join("cumulet.toml"))?.parse()?;
    let components = manifest.get_mut("component").and_then(toml::Value::as_table_mut).context("components")?;
    for component in components.iter_mut().filter_map(|(_, component)| component.as_table_mut()) {
        component.remove("build");
        let source = component.get("source").and_then(toml::Value::as_str).context("a source")?;
        let source = example.join(source).canonicalize()?;
        component.insert("source".to_owned(), source.to_str().context("a path")?.into());
    }
    let path = folder.join("cumulet.toml");
    std::fs::write(&path, toml::to_string(&manifest)?)?;
    Ok(path)
}

fn post(server: &Server, token: Option<&str>, orders: &str) -> anyhow::Result<Reply> {
    let length = format!("content-length: {}", orders.len());
    let bearer = token.map(|token| format!("authorization: Bearer {token}"));
    let headers: Vec<&str> = [Some(length.as_str()), bearer.as_deref()].into_iter().flatten().collect();
    let mut connection = server.connect()?;
    connection.request("POST", "/report", &headers)?;
    connection.send(orders.as_bytes())?;
    let reply = connection.reply("POST")?;
    ensure!(reply.complete, "{reply:?}");
    Ok(reply)
}

#[test]
fn one_request_goes_through_three_languages() -> anyhow::Result<()> {
    let repository = paths::repository();
    let tools = Toolchain::find(&repository, "python").zip(Toolchain::find(&repository, "go"));
    let Some((python, go)) = tools else {
        return Toolchain::left_out("the example polyglot");
    };
    let tools = python.with(go);
    run(&tools, "data", Path::new("go"), &["test", "./orders"])?;
    run(&tools, "page", Path::new("python3"), &["-m", "unittest"])?;
    run(&tools, ".", &paths::binary()?, &["build"])?;

    let folder = tempfile::tempdir()?;
    let server = Server::up_in(&folder.path().join("data"), &manifest(folder.path())?, &[], &[])?;
    let token = |name: &str| std::fs::read_to_string(repository.join("examples/token-verify/data").join(name));
    let valid = token("eddsa.jwt")?;
    let orders = std::fs::read_to_string(repository.join(EXAMPLE).join("orders.csv"))?;

    let reply = post(&server, Some(valid.trim()), &orders)?;
    let page = reply.text();
    ensure!(reply.status() == 200 && reply.header("content-type") == Some("text/html; charset=utf-8"), "{reply:?}");
    // Rust knows the reader, Go the sums, Python the page around them.
    let rows = ["<tr><th>cake<td>2<td>24.00<td>57 %\n<tr><th>tea<td>4<td>18.00<td>43 %\n", "<p>For ada.</p>"];
    ensure!(rows.iter().all(|row| page.contains(row)), "{page}");

    let reply = post(&server, Some(valid.trim()), "tea,3,4.50\n<tea>,three,1\n")?;
    let problem = reply.text();
    ensure!(reply.status() == 400 && problem.contains(r#"line 2: \"three\" is no number of pieces"#), "{problem}");

    let empty = post(&server, Some(valid.trim()), "")?;
    ensure!(empty.status() == 200 && empty.text().contains("<tr><th>all<td>0<td>0.00"), "{}", empty.text());

    for (token, why) in [(None, "carries no token"), (Some(token("eddsa.forged.jwt")?), "signature")] {
        let reply = post(&server, token.as_deref().map(str::trim), &orders)?;
        ensure!(reply.status() == 401 && reply.text().contains(why), "{reply:?} {}", reply.text());
    }
    server.stop()
}
