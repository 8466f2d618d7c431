//! Problems in a text, drawn below the lines that they are about.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use cumulet_spec::manifest::Problem;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde_json::{Value, json};

/// All problems that were found in one text.
#[derive(Debug)]
pub(crate) struct Report {
    source: NamedSource<String>,
    problems: Vec<Problem>,
}

impl Report {
    /// The problems of a `text` that was read from `file`.
    pub(crate) fn new(file: &Path, text: &str, problems: Vec<Problem>) -> Self {
        Self { source: NamedSource::new(file.display().to_string(), text.to_owned()), problems }
    }

    /// Each problem with the lines around it, as wide as `width` columns.
    pub(super) fn graphical(&self, width: usize) -> String {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode()).with_width(width).with_links(false);
        let mut text = String::new();
        for problem in &self.problems {
            // Writing to a string cannot fail.
            let _ = handler.render_report(&mut text, &Pointed { source: &self.source, problem });
        }
        text
    }

    /// `[{"message":…,"line":…,"column":…,"help":…}]`.
    pub(super) fn json(&self) -> Value {
        let text = self.source.inner();
        self.problems
            .iter()
            .map(|problem| {
                let at = problem.position(text);
                json!({ "message": problem.message, "line": at.line, "column": at.column, "help": problem.help })
            })
            .collect()
    }
}

/// One problem as miette wants to see it.
#[derive(Debug)]
struct Pointed<'a> {
    source: &'a NamedSource<String>,
    problem: &'a Problem,
}

impl fmt::Display for Pointed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Pointed<'_> {}

impl Diagnostic for Pointed<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let Range { start, end } = self.problem.span.clone();
        Some(Box::new(std::iter::once(LabeledSpan::underline((start, end.saturating_sub(start))))))
    }
}
