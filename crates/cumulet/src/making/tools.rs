//! The tools that build commands and pages call for: how to install each, and how old it may be.

use std::process::{Command, Stdio};

/// A tool that the templates' build commands call, or that makes a page.
#[derive(Debug)]
struct Tool {
    name: &'static str,
    /// The next step for who lacks it.
    install: &'static str,
    oldest: Option<Oldest>,
}

/// The oldest version that the templates, or pages, were built with.
#[derive(Debug)]
struct Oldest {
    /// What makes the tool print its version.
    arguments: &'static [&'static str],
    version: Version,
}

/// A major and a minor number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

const TOOLS: &[Tool] = &[
    Tool { name: "cargo", install: "install Rust: https://rustup.rs", oldest: None },
    Tool { name: "rustup", install: "install Rust: https://rustup.rs", oldest: None },
    Tool {
        name: "componentize-py",
        install: "install it: pip install componentize-py==0.25.1",
        oldest: Some(Oldest { arguments: &["--version"], version: Version(0, 25) }),
    },
    Tool {
        name: "node",
        install: "install Node.js 20 or newer: https://nodejs.org",
        oldest: Some(Oldest { arguments: &["--version"], version: Version(20, 0) }),
    },
    Tool {
        name: "jco",
        install: "install it: npm install --global @bytecodealliance/jco@1.35.0",
        oldest: Some(Oldest { arguments: &["--version"], version: Version(1, 35) }),
    },
    Tool {
        name: "go",
        install: "install Go 1.25 or newer: https://go.dev/dl",
        oldest: Some(Oldest { arguments: &["version"], version: Version(1, 25) }),
    },
    Tool { name: "python3", install: "install Python 3, with pip: https://www.python.org/downloads", oldest: None },
    Tool { name: "npm", install: "install Node.js 20 or newer, with npm: https://nodejs.org", oldest: None },
];

/// What a tool's own complaint means, and the next step.
const COMPLAINTS: &[(&str, &str)] = &[
    ("target may not be installed", "add the target: rustup target add wasm32-wasip2"),
    ("No module named ziglang", "install it: pip install ziglang==0.17.1"),
    ("Get \"https://proxy.golang.org", "Go reaches no modules: connect, and run `cumulet build` again"),
    ("npm error code ENOTFOUND", "npm reaches no registry: connect, and run `cumulet build` again"),
];

/// The next step for who lacks the program `name`.
pub(super) fn to_install(name: &str) -> Option<&'static str> {
    TOOLS.iter().find(|tool| tool.name == name).map(|tool| tool.install)
}

/// The next step that the last lines of a failed build call for.
pub(super) fn to_correct(lines: &[String]) -> Option<&'static str> {
    let said = |complaint: &str| lines.iter().any(|line| line.contains(complaint));
    COMPLAINTS.iter().find(|(complaint, _)| said(complaint)).map(|(_, step)| *step)
}

/// The first tool of `command` that is older than it may be: what is wrong with it, and the next step.
pub(super) fn too_old(command: &str) -> Option<(String, &'static str)> {
    let called = |tool: &&Tool| words(command).any(|word| word == tool.name || (word == "npm" && tool.name == "node"));
    TOOLS.iter().filter(called).find_map(|tool| {
        let oldest = tool.oldest.as_ref()?;
        let found = asked(tool.name, oldest.arguments)?;
        let Version(major, minor) = oldest.version;
        let older = format!("`{}` is version {}.{}, and {major}.{minor} is needed", tool.name, found.0, found.1);
        (found < oldest.version).then_some((older, tool.install))
    })
}

fn words(command: &str) -> impl Iterator<Item = &str> {
    command.split(|char: char| char.is_whitespace() || "();|&'\"".contains(char))
}

/// The version that an installed tool prints.
fn asked(name: &str, arguments: &[&str]) -> Option<Version> {
    let printed = Command::new(name).args(arguments).stdin(Stdio::null()).output().ok()?;
    Version::first_in(&String::from_utf8_lossy(&printed.stdout))
}

impl Version {
    /// The first `1.2` in a text, as in `go version go1.26.8 linux/amd64` and `v20.20.2`.
    fn first_in(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| {
            let mut numbers = word.trim_start_matches(|char: char| !char.is_ascii_digit()).split('.');
            Some(Self(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print() {
        let check = |text: &str, expect: Option<(u32, u32)>| {
            assert_eq!(Version::first_in(text), expect.map(|(major, minor)| Version(major, minor)), "{text}");
        };
        check("go version go1.26.8 linux/amd64\n", Some((1, 26)));
        check("componentize-py 0.25.1\n", Some((0, 25)));
        check("v20.20.2\n", Some((20, 20)));
        check("0.17.0\n", Some((0, 17)));
        check("no version at all", None);
        check("", None);
    }

    #[test]
    fn words_of_a_command_are_told_apart() {
        let found: Vec<&str> = words("[ -f x ] || (npm install&&GOOS=wasip1 go build)").collect();
        assert!(["npm", "go"].iter().all(|word| found.contains(word)), "{found:?}");
        assert!(!found.contains(&"install&&GOOS=wasip1"), "{found:?}");
    }

    #[test]
    fn what_is_to_be_installed_is_what_the_templates_name() {
        let python = include_str!("../../templates/python-http/requirements.txt.in");
        assert!(to_install("componentize-py").is_some_and(|step| step.contains(python.trim_end())));
        let pages: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/jco/package.json")).unwrap();
        let version = pages.pointer("/devDependencies/@bytecodealliance~1jco").and_then(|version| version.as_str());
        let named = format!("@bytecodealliance/jco@{}", version.unwrap());
        assert!(to_install("jco").is_some_and(|step| step.ends_with(&named)));
        let zig = include_str!("../../templates/c-http/requirements.txt.in");
        let complaint = ["/usr/bin/python3: No module named ziglang".to_owned()];
        assert!(to_correct(&complaint).is_some_and(|step| step.contains(zig.trim_end())));
        assert_eq!(to_install("no-such-tool"), None);
    }
}
