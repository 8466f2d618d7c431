//! `cumulet up` and `cumulet node` while they run: ready, reload, drain, and an address that is taken.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use crate::session::{command, redact, run, show};

/// An HTTP component that never answers: enough to tell a route from none.
const SILENT: &str = include_str!("silent.wat");

fn manifest(route: &str) -> String {
    format!(
        "manifest = 1\n[app]\nname = \"shop\"\n[component.front]\nsource = \"front.wat\"\n\
         [[trigger.http]]\nroute = \"{route}\"\ncomponent = \"front\"\n"
    )
}

fn app(route: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("front.wat"), SILENT).unwrap();
    std::fs::write(folder.path().join("cumulet.toml"), manifest(route)).unwrap();
    folder
}

/// A server that is killed when a test fails.
pub(crate) struct Up {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// `HOST:PORT` where requests are answered.
    pub(crate) address: String,
    /// The URL where the admin API is.
    pub(crate) admin: String,
}

impl Up {
    /// Starts it on free ports, with events in JSON, and waits until it is ready.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_as("--json", folder, arguments)
    }

    /// The same in another voice: `--json` or `--quiet`.
    pub(crate) fn start_as(voice: &str, folder: &Path, arguments: &[&str]) -> Self {
        Self::start_command("up", voice, folder, arguments)
    }

    /// Starts a node, whose data folder is `data` in the folder.
    pub(crate) fn start_node(folder: &Path) -> Self {
        Self::start_command("node", "--json", folder, &["--data-dir", "data"])
    }

    fn start_command(name: &str, voice: &str, folder: &Path, arguments: &[&str]) -> Self {
        let mut child = command(folder)
            .args([name, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", voice])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(folder.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut up = Self { child, stdout, address: String::new(), admin: String::new() };
        let line = up.line();
        let ready: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        let url = ready["url"].as_str().or_else(|| line.trim().strip_prefix("ready "));
        assert!(url.is_some(), "{line:?}: {}", told(folder));
        up.admin = ready["admin"].as_str().unwrap_or_default().to_owned();
        up.address = url.unwrap().trim_start_matches("http://").trim_end_matches('/').to_owned();
        up
    }

    /// The next line of its standard output.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    fn event(&mut self) -> Value {
        serde_json::from_str(&self.line()).unwrap_or(Value::Null)
    }

    /// The whole response to a GET.
    pub(crate) fn get(&self, path: &str) -> String {
        self.get_from("a", path)
    }

    /// The same of a host.
    pub(crate) fn get_from(&self, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    fn status(&self, path: &str) -> u16 {
        self.get(path).split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Ends it as an operator would, and returns its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // After `stop` there is nothing left to kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a server in this folder wrote to its standard error.
pub(crate) fn told(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("stderr")).unwrap()
}

#[test]
fn serves_and_drains() {
    let folder = app("/v1");
    let up = Up::start(folder.path(), &[]);
    assert_eq!(up.status("/v1"), 500, "it never answers");
    assert_eq!(up.status("/v2"), 404);
    assert_eq!(up.stop(), Some(0));
}

#[test]
fn quiet_tells_of_what_did_not_end_well() {
    let folder = app("/v1");
    let up = Up::start_as("--quiet", folder.path(), &[]);
    assert_eq!(up.status("/v1"), 500, "it never answers");
    assert_eq!(up.stop(), Some(0));
    let stderr = told(folder.path());
    assert!(stderr.starts_with("no-response 500 GET /v1 ") && stderr.lines().count() == 1, "{stderr:?}");
}

#[test]
fn serves_a_bare_component() {
    let folder = app("/v1");
    let up = Up::start(folder.path(), &["front.wat"]);
    assert_eq!(up.status("/anything"), 500);
    assert_eq!(up.stop(), Some(0));
}

#[test]
fn a_change_is_served_and_a_mistake_is_not() {
    let folder = app("/v1");
    let file = folder.path().join("cumulet.toml");
    let mut up = Up::start(folder.path(), &["--watch"]);
    std::fs::write(&file, manifest("/v2")).unwrap();
    assert_eq!(up.event()["event"], "reloaded");
    assert_eq!((up.status("/v1"), up.status("/v2")), (404, 500));

    std::fs::write(&file, manifest("v3")).unwrap();
    let failed = up.event();
    assert_eq!(failed["event"], "reload-failed");
    assert_eq!(up.status("/v2"), 500, "the version before is still served");

    std::fs::write(&file, manifest("/v4")).unwrap();
    assert_eq!(up.event()["event"], "reloaded");
    assert_eq!((up.status("/v2"), up.status("/v4")), (404, 500));
    assert_eq!(up.stop(), Some(0));

    let stderr = told(folder.path());
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("{\"error\"")).collect();
    insta::assert_snapshot!("reload_failed", redact(&errors.join("\n"), folder.path()));
}

#[test]
fn an_address_in_use() {
    let folder = app("/v1");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (name, flags) in [
        ("address_in_use", vec!["--listen", &address, "--admin", "127.0.0.1:0"]),
        ("address_in_use_json", vec!["--listen", "127.0.0.1:0", "--admin", &address, "--json"]),
    ] {
        let output = run(folder.path(), ["up"].into_iter().chain(flags));
        insta::assert_snapshot!(name, show(&output, folder.path()));
    }
}

#[test]
fn a_node_is_ready_and_drains() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start_node(folder.path());
    assert_eq!(up.stop(), Some(0));
}

#[test]
fn a_node_at_an_address_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let arguments = ["node", "--data-dir", "data", "--listen", &address, "--admin", "127.0.0.1:0", "--quiet"];
    let output = run(folder.path(), arguments.into_iter());
    insta::assert_snapshot!("node_address_in_use", show(&output, folder.path()));
}
