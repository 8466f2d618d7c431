//! Sessions: commands and the files that they work on, in one text.
//!
//! Lines before the first file are commands: `$ cumulet …` is run and shown, `% …` is run by the shell to prepare.
//! `-- PATH --` begins a file. Paths of the session's folder and ports are redacted.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Plays a session in a folder of its own and returns what a person would see, with exit codes.
pub(crate) fn play(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (commands, files) = split(text);
    for (path, content) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    let mut seen = String::new();
    for line in commands {
        if let Some(script) = line.strip_prefix("% ") {
            let status = Command::new("sh").args(["-c", script]).current_dir(folder.path()).status().unwrap();
            assert!(status.success(), "{script}");
        } else if let Some(arguments) = line.strip_prefix("$ cumulet") {
            writeln!(seen, "$ cumulet{arguments}").unwrap();
            seen.push_str(&show(&run(folder.path(), arguments.split_whitespace()), folder.path()));
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "neither a command nor a comment: {line}");
        }
    }
    seen
}

/// Runs the binary in `folder` as if it stood on the PATH, and waits for its end.
pub(crate) fn run<'a>(folder: &Path, arguments: impl Iterator<Item = &'a str>) -> Output {
    command(folder).args(arguments).output().unwrap()
}

/// The binary in `folder`, in an environment that changes neither what it prints nor where it builds.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cumulet"));
    for variable in ["CARGO_TARGET_DIR", "CLICOLOR_FORCE", "COLUMNS", "RUST_BACKTRACE", "RUST_LOG"] {
        command.env_remove(variable);
    }
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// What `output` shows, standard output first.
pub(crate) fn show(output: &Output, folder: &Path) -> String {
    let mut seen = String::new();
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        let text = redact(&String::from_utf8(bytes.clone()).unwrap(), folder);
        if !text.is_empty() {
            writeln!(seen, "[{name}]\n{}", text.trim_end()).unwrap();
        }
    }
    writeln!(seen, "[exit {}]\n", output.status.code().map_or("by signal".to_owned(), |code| code.to_string()))
        .unwrap();
    seen
}

/// `text` without what differs from run to run: the folder's path, ports of 127.0.0.1, the version.
pub(crate) fn redact(text: &str, folder: &Path) -> String {
    let real = folder.canonicalize().unwrap();
    let text = text.replace(real.to_str().unwrap(), "[DIR]").replace(folder.to_str().unwrap(), "[DIR]");
    let text = text.replace(concat!("cumulet ", env!("CARGO_PKG_VERSION")), "cumulet [VERSION]");
    // Shells differ in how they say it.
    let text = text.replace("sh: line 1: no-such-tool: command not found", "sh: 1: no-such-tool: not found");
    let mut parts = text.split("127.0.0.1:");
    let mut redacted = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|char: char| char.is_ascii_digit());
        // The defaults are worth seeing.
        let is_default = ["3000", "3001"].iter().any(|port| part.len() - rest.len() == 4 && part.starts_with(port));
        redacted.push_str("127.0.0.1:");
        redacted.push_str(if is_default || rest.len() == part.len() { part } else { "[PORT]" });
        if !is_default && rest.len() != part.len() {
            redacted.push_str(rest);
        }
    }
    redacted
}

fn split(text: &str) -> (Vec<&str>, Vec<(&str, String)>) {
    let mut commands = Vec::new();
    let mut files: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        let header = line.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --"));
        match (header, files.last_mut()) {
            (Some(path), _) => files.push((path, String::new())),
            (None, Some((_, content))) => content.extend([line, "\n"]),
            (None, None) => commands.push(line),
        }
    }
    (commands, files)
}
