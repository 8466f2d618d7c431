//! Runs a component's build command, as the manifest gives it.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::Build;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

/// How many of the last lines a failed build is remembered by.
const TAIL_LINES: usize = 40;

/// Where a line is cut, in bytes.
const LINE_BYTES_MAX: usize = 4096;

/// The variable that names this program to build commands, which may need it and cannot know where it lies.
const PROGRAM_VARIABLE: &str = "CUMULET";

/// What the shell ends with when it does not find a command.
const NOT_FOUND: i32 = 127;

/// A build that did not succeed.
#[derive(Debug, Error)]
#[error("the build of `{component}` failed")]
pub struct BuildError {
    /// The component.
    pub component: ComponentName,
    /// What was run.
    pub command: String,
    /// Where it was run.
    pub dir: PathBuf,
    /// What went wrong.
    #[source]
    pub kind: BuildErrorKind,
    /// The last lines that it wrote, at most 40.
    pub tail: Vec<String>,
}

/// What went wrong with a build.
#[derive(Debug, Error)]
pub enum BuildErrorKind {
    /// `build.dir` is no folder.
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    /// No process could be started, or its output not be read.
    #[error("cannot run a shell")]
    Shell(#[source] io::Error),
    /// The shell did not find the program.
    #[error("`{tool}` is not installed, or not on the PATH")]
    MissingTool {
        /// The program.
        tool: String,
    },
    /// The command said so by its exit code.
    #[error("the command ended with exit code {0}")]
    Exit(i32),
    /// A signal ended the command.
    #[error("a signal ended the command")]
    Signal,
}

/// Runs the build command of `component` in the shell and gives every line that it writes to `show`. In its environment
/// `CUMULET` is the path of this program.
///
/// # Errors
/// When it cannot be started or ends with anything but 0.
///
/// # Cancel safety
/// Dropping the future kills the shell.
pub async fn build(
    component: &ComponentName,
    build: &Build,
    base_dir: &Path,
    show: impl FnMut(&str),
) -> Result<(), BuildError> {
    // `shop/.` is the same place as `shop`, and people write the short one.
    let dir = if build.dir == Path::new(".") { base_dir.to_owned() } else { base_dir.join(&build.dir) };
    let (tail, ended) = run_shown(&build.command, &dir, show).await;
    let command = build.command.clone();
    ended.map_err(|kind| BuildError { component: component.clone(), command, dir, kind, tail })
}

/// Runs `command` in the shell and gives every line that it writes to `show`. Returns the last of them, and how it
/// ended.
///
/// # Cancel safety
/// Dropping the future kills the shell.
pub(crate) async fn run_shown(
    command: &str,
    dir: &Path,
    mut show: impl FnMut(&str),
) -> (Vec<String>, Result<(), BuildErrorKind>) {
    let mut tail = VecDeque::with_capacity(TAIL_LINES);
    let ended = run(command, dir, |line| {
        show(&line);
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(line);
    });
    let ended = ended.await;
    let tail = Vec::from(tail);
    match ended {
        Err(BuildErrorKind::Exit(NOT_FOUND)) => {
            let tool = missing_tool(command, &tail);
            (tail, Err(BuildErrorKind::MissingTool { tool }))
        }
        ended => (tail, ended),
    }
}

async fn run(command: &str, dir: &Path, line: impl FnMut(String)) -> Result<(), BuildErrorKind> {
    if !dir.is_dir() {
        return Err(BuildErrorKind::NoFolder(dir.to_owned()));
    }
    let mut child = spawn(command, dir).map_err(BuildErrorKind::Shell)?;
    if let Some(output) = child.stdout.take() {
        read_lines(output, line).await;
    }
    let status = child.wait().await.map_err(BuildErrorKind::Shell)?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(BuildErrorKind::Exit(code)),
        None => Err(BuildErrorKind::Signal),
    }
}

fn spawn(command: &str, dir: &Path) -> io::Result<Child> {
    let mut shell = Command::new("sh");
    if let Ok(program) = std::env::current_exe() {
        shell.env(PROGRAM_VARIABLE, program);
    }
    shell
        .arg("-c")
        // Both streams through one pipe, so that their lines stay in order.
        .arg(format!("exec 2>&1; {command}"))
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Gives each line of `stream`, cut where it is too long, to `line`, until the stream ends.
async fn read_lines(mut stream: impl AsyncRead + Unpin, mut line: impl FnMut(String)) {
    let mut waiting = Vec::new();
    let mut chunk = vec![0; LINE_BYTES_MAX];
    loop {
        // A broken pipe is the end of the output; the exit code tells the rest.
        let length = stream.read(&mut chunk).await.unwrap_or(0);
        if length == 0 {
            break;
        }
        waiting.extend_from_slice(chunk.get(..length).unwrap_or_default());
        while let Some(end) = line_end(&waiting) {
            let rest = waiting.split_off(end);
            line(text(&waiting));
            waiting = rest;
        }
    }
    if !waiting.is_empty() {
        line(text(&waiting));
    }
}

/// Where the first line of `bytes` ends, behind its newline; none when it is not complete.
fn line_end(bytes: &[u8]) -> Option<usize> {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(newline) if newline < LINE_BYTES_MAX => Some(newline + 1),
        _ if bytes.len() >= LINE_BYTES_MAX => Some(LINE_BYTES_MAX),
        _ => None,
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}

/// The program that the shell did not find, or that a script is to be run by: what is said of it, else the command's
/// first word.
fn missing_tool(command: &str, tail: &[String]) -> String {
    let said = tail.iter().rev().find_map(|line| {
        let of_shell = line.strip_suffix(": not found").or_else(|| line.strip_suffix(": command not found"));
        let of_shell = of_shell.and_then(|line| line.rsplit(": ").next());
        let name = of_shell.or_else(|| {
            let (by, name) = line.strip_suffix(": No such file or directory")?.rsplit_once(": ")?;
            by.ends_with("env").then_some(name)
        })?;
        Some(name.trim_matches(['\'', '\u{2018}', '\u{2019}']).to_owned())
    });
    said.unwrap_or_else(|| command.split_whitespace().next().unwrap_or(command).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run_build(command: &str, dir: &str) -> (Vec<String>, Result<(), BuildError>) {
        let folder = tempfile::tempdir().unwrap();
        let name = ComponentName::parse("front").unwrap();
        let spec = Build { command: command.to_owned(), dir: dir.into(), watch: Vec::new() };
        let mut shown = Vec::new();
        let ended = build(&name, &spec, folder.path(), |line| shown.push(line.to_owned())).await;
        (shown, ended)
    }

    #[track_caller]
    fn check_error(ended: Result<(), BuildError>, expect: &str) {
        assert_eq!(ended.unwrap_err().kind.to_string(), expect);
    }

    #[tokio::test]
    async fn shows_every_line_of_both_streams_in_order() {
        let (shown, ended) = run_build("echo one; echo two >&2; printf three", ".").await;
        assert_eq!(shown, ["one", "two", "three"]);
        ended.unwrap();
    }

    #[tokio::test]
    async fn names_this_program() {
        let (shown, ended) = run_build("test -x \"$CUMULET\" && echo there", ".").await;
        assert_eq!(shown, ["there"]);
        ended.unwrap();
    }

    #[tokio::test]
    async fn says_how_it_failed() {
        check_error(run_build("exit 7", ".").await.1, "the command ended with exit code 7");
        check_error(run_build("kill -9 $$", ".").await.1, "a signal ended the command");
        let missing = "`no-such-tool-here` is not installed, or not on the PATH";
        check_error(run_build("no-such-tool-here --release", ".").await.1, missing);
        check_error(run_build("true && no-such-tool-here", ".").await.1, missing);
        check_error(run_build("/usr/bin/env no-such-tool-here", ".").await.1, missing);
        let error = run_build("true", "absent").await.1.unwrap_err();
        assert!(matches!(error.kind, BuildErrorKind::NoFolder(_)));
    }

    #[tokio::test]
    async fn remembers_the_last_lines_and_cuts_long_ones() {
        let (shown, ended) = run_build("seq 1 100; head -c 10000 /dev/zero | tr '\\0' x; exit 1", ".").await;
        let tail = ended.unwrap_err().tail;
        assert_eq!(tail.len(), TAIL_LINES);
        assert_eq!(shown.len(), 103);
        assert!(shown.iter().all(|line| line.len() <= LINE_BYTES_MAX));
        assert_eq!(tail.last().map(String::len), Some(10000 - 2 * LINE_BYTES_MAX));
    }
}
