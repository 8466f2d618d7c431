//! `cumulet deploy` and what follows it, against a node that runs.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use cumulet_spec::api::UPLOAD_PIECE_BYTES_MAX;
use serde_json::Value;

use crate::serve::Up;
use crate::session::{redact, run};
use crate::template::{has_target, make};

/// An HTTP component that never answers: no probe passes.
const SILENT: &str = include_str!("silent.wat");

/// Commands to a node that runs, and what they print.
struct Talk<'a> {
    node: &'a Up,
    /// The folder that the node was started in.
    folder: &'a Path,
    /// Where the commands are typed.
    project: &'a Path,
    seen: String,
}

impl<'a> Talk<'a> {
    fn new(node: &'a Up, folder: &'a Path, project: &'a Path) -> Self {
        Self { node, folder, project, seen: String::new() }
    }

    /// Runs a command as the first admin, and remembers what it prints without what differs from run to run.
    fn say(&mut self, line: &str) -> Output {
        let data = self.folder.join("data");
        let own = ["--node", &self.node.admin, "--data-dir", data.to_str().unwrap()];
        let output = self.say_with(line, &own);
        writeln!(self.seen, "$ cumulet {line}").unwrap();
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            let text = String::from_utf8(bytes.clone()).unwrap();
            // What the build says is the compiler's own.
            let lines = text.lines().filter(|line| !line.starts_with("  | "));
            let lines: Vec<String> = lines.map(|line| settled(&redact(line, self.folder))).collect();
            if !lines.is_empty() {
                writeln!(self.seen, "[{name}]\n{}", lines.join("\n")).unwrap();
            }
        }
        writeln!(self.seen, "[exit {}]\n", output.status.code().unwrap()).unwrap();
        output
    }

    /// Runs a command with flags of its own.
    fn say_with(&self, line: &str, flags: &[&str]) -> Output {
        run(self.project, line.split_whitespace().chain(flags.iter().copied()))
    }

    /// What the app answers.
    fn open(&self, host: &str) -> String {
        self.node.get_from(host, "/")
    }
}

/// A line without times, sizes, digests and ids; its words are one space apart.
fn settled(line: &str) -> String {
    let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_unit = |word: &str| ["ms", "s", "B", "KiB", "MiB"].contains(&word.trim_end_matches([',', ')']));
    let is_hex = |word: &str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut settled: Vec<String> = Vec::new();
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let unit = words.next_if(|next| is_number(word) && is_unit(next));
        settled.push(match unit {
            Some(unit) => format!("[N] {unit}").replace("[N] ms", "[TIME]").replace("[N] s", "[TIME]"),
            None if word.len() == 20 && word.ends_with('Z') && word.contains('T') => "[WHEN]".to_owned(),
            None if is_hex(word) => "[DIGEST]".to_owned(),
            None if word.starts_with("token:") => "token:[ID]".to_owned(),
            None if word.starts_with("http://") => portless(word),
            None => word.to_owned(),
        });
    }
    settled.join(" ")
}

/// A URL whose port is not a number.
fn portless(url: &str) -> String {
    match url.trim_end_matches('/').rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => format!("{host}:[PORT]/"),
        _ => url.to_owned(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An app whose component never answers.
fn silent(folder: &Path) {
    std::fs::write(folder.join("front.wat"), SILENT).unwrap();
    let manifest = "manifest = 1\n[app]\nname = \"mute\"\n[component.front]\nsource = \"front.wat\"\n\
        [[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n";
    std::fs::write(folder.join("cumulet.toml"), manifest).unwrap();
}

#[test]
fn from_a_new_project_to_one_that_is_removed() {
    if !has_target() {
        return;
    }
    let made = make("rust-http");
    let project = made.project();
    let node = Up::start_node(made.around());
    let host = "my-app.local.localhost";
    let mut talk = Talk::new(&node, made.around(), &project);

    talk.say("deploy --dry-run");
    assert!(talk.open(host).starts_with("HTTP/1.1 404"), "nothing was deployed");
    let deployed = talk.say("deploy --accept-grants --note first");
    assert!(deployed.status.success(), "{}", text(&deployed.stderr));
    assert!(talk.open(host).contains("Hello from my-app\n"));

    let source = project.join("src/routes.rs");
    let changed = std::fs::read_to_string(&source).unwrap().replace("Hello from", "Welcome to");
    std::fs::write(&source, changed).unwrap();
    let manifest = project.join("cumulet.toml");
    let granting = std::fs::read_to_string(&manifest).unwrap();
    let limited = granting.replace("keyvalue = [\"default\"]", "keyvalue = [\"default\"]\nenv = { LOG = \"info\" }");
    std::fs::write(&manifest, limited).unwrap();
    talk.say("deploy --dry-run");
    let refused = talk.say("deploy");
    assert_eq!(refused.status.code(), Some(1), "a grant is gained, and there is nobody to ask");
    assert!(talk.open(host).contains("Hello from my-app\n"));
    let deployed = talk.say("deploy --no-build --accept-grants --note second");
    assert!(deployed.status.success(), "{}", text(&deployed.stderr));
    assert!(talk.open(host).contains("Welcome to my-app\n"));

    talk.say("apps");
    talk.say("revisions my-app");
    talk.say("traffic my-app r1=50 r2=50 --header x-beta=yes:r2 --sticky");
    talk.say("traffic my-app r1=40 r2=70");
    talk.say("traffic my-app");
    talk.say("rollback my-app r1");
    assert!(talk.open(host).contains("Hello from my-app\n"));
    talk.say("rollback my-app r9");
    talk.say("remove my-app");
    talk.say("remove my-app --yes");
    assert!(talk.open(host).starts_with("HTTP/1.1 404"));
    talk.say("apps");
    insta::assert_snapshot!(talk.seen);
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn what_does_not_answer_is_not_deployed() {
    let folder = tempfile::tempdir().unwrap();
    silent(folder.path());
    let node = Up::start_node(folder.path());
    let mut talk = Talk::new(&node, folder.path(), folder.path());
    talk.say("deploy");
    talk.say("apps");
    let output = talk.say_with("deploy --json", &["--node", &node.admin, "--data-dir", "data"]);
    assert_eq!(output.status.code(), Some(1));
    let events: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["built", "plan", "uploaded", "received", "compiled", "linked", "failed"]);
    assert_eq!(events.last().unwrap()["phase"], "probed");
    let error: Value = serde_json::from_str(text(&output.stderr).trim()).unwrap();
    assert_eq!(error["error"]["exit"], 1);
    insta::assert_snapshot!(talk.seen);
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn what_is_large_goes_in_pieces() {
    const LINE: &str = ";; What is said here is said to nobody, and takes its time to be sent all the same.\n";
    let folder = tempfile::tempdir().unwrap();
    silent(folder.path());
    let large = LINE.repeat(UPLOAD_PIECE_BYTES_MAX / LINE.len() + 1) + SILENT;
    std::fs::write(folder.path().join("front.wat"), &large).unwrap();
    let node = Up::start_node(folder.path());
    let talk = Talk::new(&node, folder.path(), folder.path());
    let flags = ["--node", &node.admin, "--data-dir", "data"];
    let mut uploaded = Vec::new();
    for _ in 0..2 {
        let output = talk.say_with("deploy --json", &flags);
        let told = text(&output.stdout);
        let events = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let bytes = events.filter(|event| event["event"] == "uploaded").map(|event| event["bytes"].as_u64().unwrap());
        uploaded.extend(bytes);
        assert!(told.contains(r#""event":"linked""#), "{told}{}", text(&output.stderr));
    }
    assert_eq!(uploaded, [large.len() as u64, 0], "the second time it is there");
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn a_token_opens_what_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    silent(folder.path());
    let node = Up::start_node(folder.path());
    let mut talk = Talk::new(&node, folder.path(), folder.path());
    talk.say("tenant put acme --host shop.example.com");
    talk.say("tenant list");
    assert!(talk.say("token new ci --tenant acme --scope read --expires 90d --out ci.token --quiet").status.success());
    let listed = talk.say_with("token list --json", &["--node", &node.admin, "--data-dir", "data"]);
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let ci = listed["tokens"].as_array().unwrap().iter().find(|token| token["name"] == "ci").unwrap();
    assert_eq!((ci["tenant"].as_str(), ci["scope"].as_str()), (Some("acme"), Some("read")));

    let own = ["--node", &node.admin, "--token-file", "ci.token"];
    for (line, exit) in [
        ("apps --tenant acme", 0),
        ("apps", 1),
        ("deploy --tenant acme", 1),
        ("tenant list", 1),
        ("token new mine --tenant acme --scope admin", 1),
    ] {
        let output = talk.say_with(line, &own);
        assert_eq!(output.status.code(), Some(exit), "{line}: {}", text(&output.stderr));
    }
    let removed = format!("token remove {}", ci["id"].as_str().unwrap());
    assert!(talk.say_with(&removed, &["--node", &node.admin, "--data-dir", "data"]).status.success());
    let refused = talk.say_with("apps --tenant acme", &own);
    assert_eq!(refused.status.code(), Some(1));
    writeln!(talk.seen, "{}", redact(&text(&refused.stderr), folder.path())).unwrap();
    insta::assert_snapshot!(talk.seen);
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn what_is_no_node_is_told() {
    let folder = tempfile::tempdir().unwrap();
    silent(folder.path());
    let up = Up::start(folder.path(), &[]);
    std::fs::write(folder.path().join("token"), format!("cumulet_abcd1234_{}\n", "A".repeat(43))).unwrap();
    let output = run(folder.path(), ["apps", "--node", &up.admin, "--token-file", "token"].into_iter());
    insta::assert_snapshot!(crate::session::show(&output, folder.path()));
    assert_eq!(up.stop(), Some(0));
}
