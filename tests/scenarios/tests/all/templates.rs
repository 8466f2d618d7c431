//! Every template that answers HTTP requests: its project builds, passes its own tests, and answers as all the others do.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::listener::Listener;
use cumulet_scenarios::paths;
use cumulet_scenarios::server::Server;
use cumulet_servers::Toolchain;
use serde::Deserialize;
use serde_json::Value;

/// What the templates fetch, and the scenarios put their own server in the place of.
const UPSTREAM: &str = "https://example.com";
/// What tools write and nobody changes.
const MADE: [&str; 4] = ["target", "node_modules", "build", ".cumulet"];

#[derive(Debug, Deserialize)]
struct Requests {
    request: Vec<Request>,
}

/// A request, and what is to come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default = "get")]
    method: String,
    target: String,
    #[serde(default)]
    body: String,
    status: u16,
    text: Option<String>,
    json: Option<Value>,
}

fn get() -> String {
    "GET".to_owned()
}

/// A new project in a folder with a space in its name.
struct Project {
    folder: PathBuf,
    name: String,
    toolchain: Toolchain,
    _around: tempfile::TempDir,
}

impl Project {
    fn new(template: &str, toolchain: Toolchain) -> anyhow::Result<Self> {
        let around = tempfile::tempdir()?;
        let apps = around.path().join("my apps");
        fs::create_dir(&apps)?;
        let name = format!("my-{template}");
        let made = cumulet(&apps, &["new", &name, "--template", template], &[])?;
        ensure!(made.status.success(), "{made:?}");
        let folder = apps.join(&name);
        for (path, shelf) in toolchain.shelves() {
            fs::create_dir_all(&shelf)?;
            symlink(shelf, folder.join(path))?;
        }
        Ok(Self { folder, name, toolchain, _around: around })
    }

    /// Puts `other` in the place of `text`, wherever it stands.
    fn replace(&self, text: &str, other: &str) -> anyhow::Result<()> {
        replace_below(&self.folder, text, other)
    }

    fn build(&self) -> anyhow::Result<()> {
        let built = cumulet(&self.folder, &["build"], self.toolchain.environment())?;
        ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Ok(())
    }

    /// Runs the tests that the project came with.
    fn test(&self, command: &str) -> anyhow::Result<()> {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(&self.folder).stdin(Stdio::null());
        let tested = shell.envs(self.toolchain.environment().iter().cloned()).output()?;
        ensure!(tested.status.success(), "{command}: {tested:?}");
        Ok(())
    }

    /// Serves what was built, without building it again.
    fn serve(&self) -> anyhow::Result<Server> {
        let file = self.folder.join("cumulet.toml");
        let mut manifest: toml::Table = fs::read_to_string(&file)?.parse()?;
        let components = manifest.get_mut("component").and_then(toml::Value::as_table_mut).context("components")?;
        for component in components.iter_mut().filter_map(|(_, component)| component.as_table_mut()) {
            component.remove("build");
        }
        fs::write(&file, toml::to_string(&manifest)?)?;
        Server::up_in(&self.folder.join(".cumulet"), &self.folder, &[], &[])
    }
}

/// Runs the binary in `folder`.
fn cumulet(folder: &Path, arguments: &[&str], environment: &[(String, String)]) -> anyhow::Result<Output> {
    let mut command = Command::new(paths::binary()?);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env_remove("CARGO_TARGET_DIR");
    Ok(command.env("NO_COLOR", "1").envs(environment.iter().cloned()).output()?)
}

fn replace_below(folder: &Path, text: &str, other: &str) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if MADE.iter().any(|made| path.file_name() == Some(OsStr::new(made))) {
            continue;
        }
        if path.is_dir() {
            replace_below(&path, text, other)?;
        } else {
            let content = fs::read_to_string(&path)?;
            fs::write(&path, content.replace(text, other))?;
        }
    }
    Ok(())
}

fn check(server: &Server, name: &str, request: &Request) -> anyhow::Result<()> {
    let mut connection = server.connect()?;
    let length = format!("content-length: {}", request.body.len());
    let headers: &[&str] = if request.method == "POST" { &[&length] } else { &[] };
    connection.request(&request.method, &request.target, headers)?;
    connection.send(request.body.as_bytes())?;
    let reply = connection.reply(&request.method)?;
    ensure!(reply.complete && reply.status() == request.status, "{request:?}: {reply:?} {}", reply.text());
    let kind = reply.header("content-type").unwrap_or_default();
    if let Some(text) = &request.text {
        ensure!(reply.text() == text.replace("NAME", name), "{request:?}: {:?}", reply.text());
        ensure!(kind.starts_with("text/plain"), "{request:?}: {kind}");
    }
    if let Some(json) = &request.json {
        let body: Value = serde_json::from_slice(&reply.body).with_context(|| reply.text())?;
        ensure!(body == *json, "{request:?}: {body}");
        ensure!(kind == "application/json", "{request:?}: {kind}");
    }
    Ok(())
}

/// Makes a project of `template`, builds and tests it, and sends it every request of the table.
fn try_template(template: &str, test: &str) -> anyhow::Result<()> {
    let Some(toolchain) = Toolchain::find(&paths::repository(), template) else {
        return Toolchain::left_out(&format!("the template {template}"));
    };
    let project = Project::new(template, toolchain)?;
    project.test(test)?;
    let upstream = Listener::start()?;
    project.replace(UPSTREAM, &format!("http://{}", upstream.address))?;
    project.build()?;
    let server = project.serve()?;
    let table = fs::read_to_string(paths::repository().join("tests/data/templates/requests.toml"))?;
    let table: Requests = toml::from_str(&table)?;
    for request in &table.request {
        check(&server, &project.name, request)?;
    }
    ensure!(upstream.visits() == 1, "{} visits", upstream.visits());
    server.stop()
}

/// One after the other: they share what they compile.
#[test]
fn rust() -> anyhow::Result<()> {
    try_template("rust-http", "cargo test --quiet")?;
    try_template("rust-http-p3", "cargo test --quiet")
}

#[test]
fn javascript_and_typescript() -> anyhow::Result<()> {
    try_template("js-http", "npm test")?;
    try_template("ts-http", "npm test")
}

#[test]
fn python() -> anyhow::Result<()> {
    try_template("python-http", "python3 -m unittest discover src")
}

#[test]
fn go() -> anyhow::Result<()> {
    try_template("go-http", "go test ./routes && go vet ./routes")
}

#[test]
fn c() -> anyhow::Result<()> {
    let compile = "cc -Isrc -o build/routes tests/routes.c src/routes.c src/json.c";
    try_template("c-http", &format!("mkdir -p build && {compile} && build/routes"))
}

/// A search path with a shell, and programs of these names that do as their scripts say.
pub(crate) fn search_path(programs: &[(&str, &str)]) -> anyhow::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir()?;
    for program in ["sh", "mkdir"] {
        let places = ["/bin", "/usr/bin"].map(|place| Path::new(place).join(program));
        let place = places.iter().find(|place| place.is_file()).context("a shell")?;
        symlink(place, folder.path().join(program))?;
    }
    for (name, script) in programs {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(folder)
}

/// The error of a build in a new project of `template`, with these programs and no others.
fn refused(template: &str, programs: &[(&str, &str)]) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let made = cumulet(folder.path(), &["new", "my-app", "--template", template], &[])?;
    ensure!(made.status.success(), "{made:?}");
    let path = search_path(programs)?;
    let path = path.path().to_str().context("a path")?.to_owned();
    let project = folder.path().join("my-app");
    let built = cumulet(&project, &["build", "--json"], &[("PATH".to_owned(), path)])?;
    let said = String::from_utf8(built.stderr)?;
    let errors: Vec<Value> = said.lines().map(serde_json::from_str).collect::<Result<_, _>>().context(said.clone())?;
    ensure!(errors.len() == 1 && built.status.code() == Some(1), "{said}");
    let error = errors.first().and_then(|error| error.get("error")).context("an error")?;
    let text = |field: &str| error.get(field).map(Value::to_string).unwrap_or_default();
    let real = folder.path().canonicalize()?.display().to_string();
    Ok(format!("{template}: {}\n   next: {}\n", text("why"), text("next")).replace(&real, "DIR"))
}

fn templates() -> anyhow::Result<Vec<String>> {
    let listed = cumulet(&paths::repository(), &["new", "--list", "--json"], &[])?;
    let listed: Value = serde_json::from_slice(&listed.stdout)?;
    let all = listed.get("templates").and_then(Value::as_array).context("templates")?;
    let name = |template: &Value| Some(template.get("name")?.as_str()?.to_owned());
    all.iter().map(|template| name(template).context("a name")).collect()
}

#[test]
fn a_missing_tool_is_named_with_its_next_step() -> anyhow::Result<()> {
    let said: Result<String, _> = templates()?.iter().map(|template| refused(template, &[])).collect();
    insta::assert_snapshot!("templates-missing-tools", said?);
    Ok(())
}

#[test]
fn a_tool_of_an_old_version_is_named_with_its_next_step() -> anyhow::Result<()> {
    let fails = |version: &str| format!("case \"$1\" in --version|version) echo {version};; *) exit 2;; esac");
    let mut said = String::new();
    let old: [(&str, &[(&str, &str)]); 4] = [
        ("python-http", &[("componentize-py", &fails("componentize-py 0.13.5"))]),
        ("js-http", &[("npm", "exit 1"), ("node", "echo v16.20.2")]),
        ("go-http", &[("go", &fails("go version go1.20.14 linux/amd64"))]),
        // Python is there, and lacks the module.
        ("c-http", &[("python3", "echo /usr/bin/python3: No module named ziglang; exit 1")]),
    ];
    for (template, programs) in old {
        said += &refused(template, programs)?;
    }
    insta::assert_snapshot!("templates-old-tools", said);
    Ok(())
}
