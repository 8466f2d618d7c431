//! What people see: every file in `tests/data` is a session of commands over files of its own, and its snapshot is
//! what they print. Beside them what needs a running server or a compiler.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot do its work has failed, and says what it leaves out"
)]

mod deploy;
mod https;
mod logs;
mod registry;
mod serve;
mod session;
mod template;
mod usage;

use std::path::Path;

/// Runs each session of `tests/data` and compares it with its snapshot.
#[test]
fn sessions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        // All of them run, so that one change shows everything that it changes.
        let compared = std::panic::catch_unwind(|| insta::assert_snapshot!(name.clone(), session::play(&text)));
        failed.extend(compared.is_err().then_some(name));
    }
    assert!(failed.is_empty(), "sessions that print something else: {failed:?}");
}

#[test]
fn completions_name_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = session::run(folder.path(), ["completions", shell].into_iter());
        let text = String::from_utf8(script.stdout).unwrap();
        assert!(["check", "listen", "template"].iter().all(|word| text.contains(word)), "{shell}");
    }
}
