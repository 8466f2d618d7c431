//! Components by way of a real registry: pushed, pulled, named by a manifest, and signed.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use cumulet_servers::{Kind, REGISTRY_PASSWORD, REGISTRY_USER, Server};

use crate::serve::Up;
use crate::session;

const COMPONENT: &str = r#"(component
  (import "wasi:cli/environment@0.2.6" (instance))
  (instance $handler)
  (export "wasi:http/incoming-handler@0.2.6" (instance $handler)))
"#;

struct Stage {
    folder: tempfile::TempDir,
    server: Server,
    seen: String,
}

impl Stage {
    fn new(kind: Kind) -> Option<Self> {
        let Some(server) = Server::start(kind).unwrap() else {
            kind.left_out("the commands that push to and pull from a registry").unwrap();
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("front.wat"), COMPONENT).unwrap();
        Some(Self { folder, server, seen: String::new() })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command, in which REGISTRY stands for the server's address, and keeps what a person sees.
    fn run(&mut self, line: &str) -> String {
        let registry = self.server.address().to_string();
        let mut command = session::command(self.path());
        let path = std::env::join_paths([self.path().to_owned(), "/usr/bin".into(), "/bin".into()]).unwrap();
        command.env("DOCKER_CONFIG", self.path()).env("PATH", path);
        let output = command.args(line.replace("REGISTRY", &registry).split_whitespace()).output().unwrap();
        let shown = session::show(&output, self.path()).replace("127.0.0.1:[PORT]", "REGISTRY");
        writeln!(self.seen, "$ cumulet {line}\n{}", shown.trim_end()).unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn manifest(&self, app: &str, source: &str) {
        let text = format!(
            "manifest = 1\n[app]\nname = \"{app}\"\n[component.front]\n{source}\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n"
        );
        fs::create_dir_all(self.path().join(app)).unwrap();
        fs::write(self.path().join(app).join("cumulet.toml"), text).unwrap();
    }
}

#[test]
fn a_component_goes_to_a_registry_and_comes_back() {
    let Some(mut stage) = Stage::new(Kind::Registry) else { return };
    let pushed = stage.run("push front.wat REGISTRY/me/front:1.0");
    stage.run("push front.wat REGISTRY/me/front:1.0 --json");
    stage.run("pull REGISTRY/me/front:1.0 -o front.wasm");
    stage.run("pull REGISTRY/me/front:1.0 -o front.wasm --json");
    stage.run("pull REGISTRY/me/front:2.0 -o other.wasm");
    assert!(fs::read(stage.path().join("front.wasm")).unwrap().starts_with(b"\0asm"));
    assert!(!stage.path().join("other.wasm").exists());

    // The printed line is what a manifest takes.
    let source = pushed.lines().nth(1).unwrap().to_owned();
    stage.manifest("shop", &source);
    stage.run("check shop");
    let (start, _digest) = source.rsplit_once("sha256:").unwrap();
    stage.manifest("wrong", &format!("{start}sha256:{}\" }}", "0".repeat(64)));
    stage.run("check wrong");

    // A second start asks nobody: the registry is gone.
    let Some(other) = Server::start(Kind::Registry).unwrap() else { return };
    drop(std::mem::replace(&mut stage.server, other));
    let again = stage.run("check shop");
    assert!(again.contains("HTTP component"), "{again}");
    insta::assert_snapshot!(stage.seen);
}

#[test]
fn what_was_fetched_is_served() {
    let Some(mut stage) = Stage::new(Kind::Registry) else { return };
    fs::write(stage.path().join("silent.wat"), include_str!("silent.wat")).unwrap();
    let pushed = stage.run("push silent.wat REGISTRY/me/silent:1.0");
    stage.manifest("shop", pushed.lines().nth(1).unwrap());
    let folder = stage.path().join("shop");
    let answers = || Up::start(&folder, &[]).get("/").starts_with("HTTP/1.1 500");
    assert!(answers());
    drop(stage.server);
    assert!(answers(), "a second start needs the registry");
}

#[test]
fn credentials_are_those_of_docker() {
    let Some(mut stage) = Stage::new(Kind::ProtectedRegistry) else { return };
    stage.run("push front.wat REGISTRY/me/front:1.0");
    // A program keeps them, as on most machines.
    let program = stage.path().join("docker-credential-test");
    let script = format!(
        "#!/bin/sh\nread -r server\ncase \"$1 $server\" in\n\"get {}\") echo '{{\"ServerURL\":\"x\",\"Username\":\"{REGISTRY_USER}\",\"Secret\":\"{REGISTRY_PASSWORD}\"}}' ;;\n*) echo credentials not found in native keychain; exit 1 ;;\nesac\n",
        stage.server.address()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(stage.path().join("config.json"), r#"{"credsStore":"test"}"#).unwrap();
    stage.run("push front.wat REGISTRY/me/front:1.0 --quiet");
    stage.run("pull REGISTRY/me/front:1.0 -o front.wasm --quiet");
    fs::write(stage.path().join("config.json"), r#"{"credsStore":"missing"}"#).unwrap();
    stage.run("pull REGISTRY/me/front:1.0 -o front.wasm");
    assert!(!stage.seen.contains(REGISTRY_PASSWORD));
    insta::assert_snapshot!(stage.seen);
}

#[test]
fn an_app_is_signed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("front.wat"), COMPONENT).unwrap();
    let manifest = "manifest = 1\n[app]\nname = \"shop\"\n[component.front]\nsource = \"front.wat\"\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n";
    fs::write(folder.path().join("cumulet.toml"), manifest).unwrap();
    let run = |line: &str| session::run(folder.path(), line.split_whitespace());
    let public = String::from_utf8(run("key new").stdout).unwrap();
    assert!(public.starts_with("cumulet-key:ed25519:"), "{public}");
    assert_eq!(String::from_utf8(run("key show").stdout).unwrap(), public);
    assert_eq!(fs::metadata(folder.path().join("cumulet.key")).unwrap().permissions().mode() & 0o777, 0o600);

    let mut seen = String::new();
    for line in [
        "sign --key cumulet.key",
        "sign --key cumulet.key --json",
        "key new",
        "sign front.wat --key cumulet.key",
        "sign --key nothing",
    ] {
        let shown = session::show(&run(line), folder.path());
        let id = shown
            .split("ed25519:")
            .nth(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect::<String>());
        writeln!(
            seen,
            "$ cumulet {line}\n{}",
            shown.trim_end().replace(&id.unwrap_or_else(|| "\0".to_owned()), "[ID]")
        )
        .unwrap();
    }
    let signature = fs::read_to_string(folder.path().join("cumulet.sig")).unwrap();
    assert!(signature.contains("cumulet-revision-v1\\napp shop\\n"), "{signature}");
    fs::set_permissions(folder.path().join("cumulet.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let shown = session::show(&run("sign --key cumulet.key"), folder.path());
    writeln!(seen, "$ cumulet sign --key cumulet.key\n{shown}").unwrap();
    insta::assert_snapshot!(seen);
}
