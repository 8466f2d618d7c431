//! What a test run left out, by name.
//!
//! The convention: a test that cannot run because a server or a tool is missing appends one line
//! to the file that the environment variable `CUMULET_LEFT_OUT` names, and ends as passed. The
//! line has three fields between tabs: the name of what was left out, what was missing, and how to
//! get it. Without the variable (a plain `cargo test`) it prints the same line on standard error.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::repository::Repository;

/// The environment variable that names the file.
pub(crate) const VARIABLE: &str = "CUMULET_LEFT_OUT";

/// One thing that did not run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    name: String,
    missing: String,
    remedy: String,
}

/// The collected entries of one run: those of our own steps, and those that tests wrote.
#[derive(Debug)]
pub(crate) struct LeftOut {
    file: PathBuf,
    own: Vec<Entry>,
}

impl LeftOut {
    /// Forgets what an earlier run left out.
    pub(crate) fn begin(repository: &Repository) -> anyhow::Result<Self> {
        let target = repository.target();
        fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
        Self::begin_in(target.join("left-out.txt"))
    }

    fn begin_in(file: PathBuf) -> anyhow::Result<Self> {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", file.display()))
            }
            Ok(()) | Err(_) => Ok(Self { file, own: Vec::new() }),
        }
    }

    /// What [`VARIABLE`] is set to for tests.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn add(&mut self, name: &str, missing: &str, remedy: &str) {
        self.own.push(Entry { name: name.to_owned(), missing: missing.to_owned(), remedy: remedy.to_owned() });
    }

    /// Everything that was left out, sorted by name, each once.
    pub(crate) fn entries(&self) -> anyhow::Result<BTreeSet<Entry>> {
        let written = match fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", self.file.display()));
            }
        };
        Ok(written.lines().filter_map(parse).chain(self.own.iter().cloned()).collect())
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.missing)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "\n      {}", self.remedy) }
    }
}

fn parse(line: &str) -> Option<Entry> {
    let mut fields = line.split('\t').map(|field| field.trim().to_owned());
    let name = fields.next().filter(|name| !name.is_empty())?;
    Some(Entry { name, missing: fields.next().unwrap_or_default(), remedy: fields.next().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_tests_and_steps_come_together_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("left-out.txt");
        fs::write(&file, "from an earlier run\tx\ty\n").unwrap();
        let mut left_out = LeftOut::begin_in(file.clone()).unwrap();
        assert!(left_out.entries().unwrap().is_empty(), "an earlier run is forgotten");

        fs::write(&file, "redis\tno server\tapt install redis\nredis\tno server\tapt install redis\n\nbare\n").unwrap();
        left_out.add("guests", "no target", "rustup target add wasm32-wasip2");
        let lines: Vec<String> = left_out.entries().unwrap().iter().map(Entry::to_string).collect();
        assert_eq!(
            lines,
            [
                "bare: ",
                "guests: no target\n      rustup target add wasm32-wasip2",
                "redis: no server\n      apt install redis",
            ]
        );
    }
}
