//! Where words go: data to standard output, everything else to standard error, colours and movement only on a terminal.

use std::io::{BufRead as _, IsTerminal, Read as _, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::failure::Failure;

const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// How wide text is laid out where no terminal says otherwise.
const WIDTH_DEFAULT: usize = 100;

/// The longest answer to a question that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64;
/// How an upload moves on a terminal.
const TRANSFER: &str = "{spinner} {msg} [{bar:30}] {binary_bytes} of {binary_total_bytes}, {binary_bytes_per_sec}";

/// How a person asked to be spoken to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    voice: Voice,
    interactive: bool,
}

/// What is said at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Lines for people.
    Plain,
    /// Data and errors only.
    Quiet,
    /// Data and errors as JSON.
    Json,
}

impl Terminal {
    /// The process's own streams.
    pub(crate) fn new(voice: Voice) -> Self {
        Self { voice, interactive: std::io::stderr().is_terminal() }
    }

    /// Whether data is to be JSON.
    pub(crate) fn is_json(self) -> bool {
        self.voice == Voice::Json
    }

    /// How it was asked to speak.
    pub(crate) fn voice(self) -> Voice {
        self.voice
    }

    /// Whether progress may be told.
    pub(crate) fn is_talkative(self) -> bool {
        self.voice == Voice::Plain
    }

    /// Whether a person watches standard error.
    pub(crate) fn is_interactive(self) -> bool {
        self.interactive
    }

    /// One line of the data that the command was asked for.
    pub(crate) fn data(self, line: &str) {
        // A reader that went away is no failure of ours.
        let mut stdout = anstream::stdout();
        drop(writeln!(stdout, "{line}"));
        drop(stdout.flush());
    }

    /// One JSON value of the data that the command was asked for, on a line of its own.
    pub(crate) fn json(self, value: &Value) {
        self.data(&value.to_string());
    }

    /// A remark for people.
    pub(crate) fn note(self, text: &str) {
        self.say(CYAN, "note", text);
    }

    /// Something that works but is probably not what was meant.
    pub(crate) fn warning(self, text: &str) {
        self.say(YELLOW, "warning", text);
    }

    /// A finished step.
    pub(crate) fn done(self, text: &str) {
        self.say(GREEN, "ok", text);
    }

    /// A stage that was reached, one of several that stand below each other.
    pub(crate) fn stage(self, name: &str, text: &str) {
        if self.is_talkative() {
            drop(writeln!(anstream::stderr(), "{GREEN}{name:>9}{GREEN:#}  {text}"));
        }
    }

    /// Asks a question that is answered with yes or no; nothing where nobody is there to answer.
    pub(crate) fn confirm(self, question: &str) -> Option<bool> {
        let stdin = std::io::stdin();
        if !self.is_talkative() || !self.interactive || !stdin.is_terminal() {
            return None;
        }
        drop(write!(anstream::stderr(), "{YELLOW}{question}{YELLOW:#} [y/N] "));
        let mut answer = String::new();
        stdin.lock().take(ANSWER_BYTES_MAX).read_line(&mut answer).ok()?;
        Some(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// A line of somebody else's, as it came.
    pub(crate) fn relay(self, line: &str) {
        if self.is_talkative() {
            drop(writeln!(anstream::stderr(), "{DIM}  | {DIM:#}{line}"));
        }
    }

    /// A line of context around the data, for a person.
    pub(crate) fn aside(self, line: &str) {
        drop(writeln!(anstream::stderr(), "{DIM}{line}{DIM:#}"));
    }

    /// A failure, always said.
    pub(crate) fn failure(self, failure: &Failure) {
        let text = if self.is_json() { failure.json() + "\n" } else { failure.plain(WIDTH_DEFAULT) };
        drop(anstream::stderr().write_all(text.as_bytes()));
    }

    /// Starts a step that may take long: moving on a terminal, one plain line elsewhere.
    pub(crate) fn step(self, text: impl Into<String>) -> Step {
        let text = text.into();
        if !self.is_talkative() {
            return Step::Silent;
        }
        if !self.interactive {
            drop(writeln!(anstream::stderr(), "{text}"));
            return Step::Lines;
        }
        let bar = ProgressBar::new_spinner().with_message(text).with_style(ProgressStyle::default_spinner());
        bar.enable_steady_tick(Duration::from_millis(100));
        Step::Moving(bar)
    }

    /// Starts an upload of so many bytes: a bar on a terminal, one plain line elsewhere.
    pub(crate) fn transfer(self, text: impl Into<String>, bytes: u64) -> Step {
        if !self.interactive {
            return self.step(text);
        }
        if !self.is_talkative() {
            return Step::Silent;
        }
        // A template that cannot be read, which a test would show, leaves the standard one.
        let style = ProgressStyle::with_template(TRANSFER).unwrap_or_else(|_error| ProgressStyle::default_bar());
        Step::Moving(ProgressBar::new(bytes).with_message(text.into()).with_style(style))
    }

    fn say(self, style: Style, label: &str, text: &str) {
        if self.is_talkative() {
            drop(writeln!(anstream::stderr(), "{style}{label}{style:#}: {text}"));
        }
    }
}

/// A step in progress; what moves leaves the terminal when it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) enum Step {
    /// Nobody wants to know.
    Silent,
    /// Each thing to tell is a line.
    Lines,
    /// A line on a terminal that changes.
    Moving(ProgressBar),
}

impl Step {
    /// Says how far it is.
    pub(crate) fn tell(&self, text: &str) {
        match self {
            Self::Silent => {}
            Self::Lines => {
                drop(writeln!(anstream::stderr(), "{text}"));
            }
            Self::Moving(bar) => bar.set_message(text.to_owned()),
        }
    }

    /// Says how many bytes of a transfer are behind it.
    pub(crate) fn advance(&self, bytes: u64) {
        match self {
            Self::Silent | Self::Lines => {}
            Self::Moving(bar) => bar.set_position(bytes),
        }
    }

    /// Lets `write` put lines above the step's own.
    pub(crate) fn suspend(&self, write: impl FnOnce()) {
        match self {
            Self::Silent | Self::Lines => write(),
            Self::Moving(bar) => bar.suspend(write),
        }
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Self::Moving(bar) = self {
            bar.finish_and_clear();
        }
    }
}
