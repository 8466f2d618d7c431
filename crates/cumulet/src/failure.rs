//! The one form in which every command reports that it could not do its work: what failed, where, why, and what to do next.
//!
//! On standard error, for people, or with `--json` as one line: `{"error":{"what":…,"file":…,"line":…,"column":…,"why":[…],"next":…,
//! "exit":…,"problems":[…],"output":[…]}}`, where what is not known is left out.

mod report;

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use cumulet_spec::manifest::Position;
use serde_json::{Map, Value, json};

use crate::exit::Exit;

pub(crate) use report::Report;

const RED: Style = AnsiColor::Red.on_default().bold();
const BOLD: Style = Style::new().bold();

/// A command's failure. Boxed where it travels, since it is rare and large.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    what: String,
    place: Option<Place>,
    why: Vec<String>,
    next: Option<String>,
    report: Option<Report>,
    output: Vec<String>,
}

/// A file, and where known the line and column in it, both counted from 1.
#[derive(Debug)]
struct Place {
    file: PathBuf,
    position: Option<Position>,
}

impl Failure {
    /// A failure that ends the process with `exit`. `what` is a fragment that starts in lower case.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            exit,
            what: what.into(),
            place: None,
            why: Vec::new(),
            next: None,
            report: None,
            output: Vec::new(),
        })
    }

    /// The file that it is about.
    pub(crate) fn at(mut self: Box<Self>, file: &Path) -> Box<Self> {
        self.place = Some(Place { file: file.to_owned(), position: None });
        self
    }

    /// The line and column in the file given before.
    pub(crate) fn at_position(mut self: Box<Self>, position: Option<Position>) -> Box<Self> {
        if let Some(place) = &mut self.place {
            place.position = position;
        }
        self
    }

    /// One more reason.
    pub(crate) fn why(mut self: Box<Self>, reason: impl Into<String>) -> Box<Self> {
        self.why.push(reason.into());
        self
    }

    /// The error that caused it, with all of its sources.
    pub(crate) fn because(mut self: Box<Self>, error: &dyn Error) -> Box<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            let reason = error.to_string();
            // A wrapper that prints what it wraps would say it twice.
            if !self.why.iter().any(|said| said.contains(&reason)) {
                self.why.push(reason);
            }
            next = error.source();
        }
        self
    }

    /// What the person can do about it.
    pub(crate) fn next(mut self: Box<Self>, step: impl Into<String>) -> Box<Self> {
        self.next = Some(step.into());
        self
    }

    /// The problems found in a text, each with its place.
    pub(crate) fn report(mut self: Box<Self>, report: Report) -> Box<Self> {
        self.report = Some(report);
        self
    }

    /// The last lines that a program wrote before it failed.
    pub(crate) fn output(mut self: Box<Self>, lines: Vec<String>) -> Box<Self> {
        self.output = lines;
        self
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The lines for a person, with colours that the stream may strip. `width` is in columns.
    pub(crate) fn plain(&self, width: usize) -> String {
        let mut text = format!("{RED}error{RED:#}{BOLD}: {}{BOLD:#}\n", self.what);
        if let Some(report) = &self.report {
            text.push_str(&report.graphical(width));
        }
        if let Some(place) = &self.place
            && self.report.is_none()
        {
            line(&mut text, "at", &place.to_string());
        }
        for reason in &self.why {
            line(&mut text, "why", reason);
        }
        if !self.output.is_empty() {
            line(&mut text, "output", &self.output.join("\n"));
        }
        if let Some(next) = &self.next {
            line(&mut text, "next", next);
        }
        text
    }

    /// One line of JSON, without the line's end.
    pub(crate) fn json(&self) -> String {
        let mut error = Map::new();
        error.insert("what".to_owned(), json!(self.what));
        if let Some(place) = &self.place {
            error.insert("file".to_owned(), json!(place.file.display().to_string()));
            if let Some(at) = place.position {
                error.insert("line".to_owned(), json!(at.line));
                error.insert("column".to_owned(), json!(at.column));
            }
        }
        if !self.why.is_empty() {
            error.insert("why".to_owned(), json!(self.why));
        }
        if let Some(next) = &self.next {
            error.insert("next".to_owned(), json!(next));
        }
        if let Some(report) = &self.report {
            error.insert("problems".to_owned(), report.json());
        }
        if !self.output.is_empty() {
            error.insert("output".to_owned(), json!(self.output));
        }
        error.insert("exit".to_owned(), json!(self.exit.0));
        json!({ "error": Value::Object(error) }).to_string()
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.position {
            Some(position) => write!(f, "{}:{position}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

/// One labelled entry; the lines after its first are indented below it.
fn line(text: &mut String, label: &str, content: &str) {
    const INDENT: &str = "\n          ";
    let content = content.trim_end().replace('\n', INDENT);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {BOLD}{label:>6}{BOLD:#}: {content}");
}
