//! `cumulet check`: what each component imports, against what it is granted.

mod graph;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use cumulet_node::check::{Access, Import, Severity};
use cumulet_spec::manifest::Position;
use serde_json::{Value, json};

use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::review::{self, Purpose, Reviewed};
use crate::target::Target;
use crate::terminal::Terminal;

/// Validate the manifest, and show what each component imports against what it is granted
#[derive(Debug, Args)]
#[command(after_help = "\
GRANTED says what an import leads to: `always` (nothing is to be granted), the entries of a grant, `nothing` (linked, but each \
call is refused), `missing` or `not offered` (exit code 3). BY is the line that grants it.

Examples:
  cumulet check
  cumulet check shop/cumulet.toml --json
  cumulet check --graph=svg > shop.svg
  cumulet check target/wasm32-wasip2/release/front.wasm")]
pub(crate) struct Check {
    /// A folder with cumulet.toml, that file, or a .wasm or .wat file
    #[arg(value_name = "DIR|FILE", default_value = ".")]
    target: PathBuf,

    /// Draw the app instead, as `text` or `svg`: triggers, components, links, and what each component was granted
    #[arg(long, value_name = "FORMAT", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text", hide_possible_values = true)]
    graph: Option<graph::Format>,
}

impl Check {
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        let mut target = Target::resolve(&self.target)?;
        if let Some(format) = self.graph {
            terminal.data(graph::draw(&target.manifest, format).trim_end());
            return Ok(Exit::DONE);
        }
        fetching::fetch_blocking(&mut target, terminal)?;
        let (reviewed, refused) = {
            let _step = terminal.step(format!("checking {}", target.manifest.app.name));
            let reviewed = review::review(&target, Purpose::Show)?;
            let refused = review::refused(&target, &reviewed);
            (reviewed, refused)
        };
        if !terminal.is_json() {
            terminal.data(table(&target, &reviewed).trim_end());
        }
        conclude((&target, &reviewed), refused.as_deref(), terminal);
        refused.map_or(Ok(Exit::DONE), Err)
    }
}

/// Tells what a check found, without the table. `refused` is why it cannot be served, if it cannot.
pub(super) fn conclude((target, reviewed): (&Target, &[Reviewed]), refused: Option<&Failure>, terminal: Terminal) {
    if terminal.is_json() {
        terminal.json(&as_json(target, reviewed, refused));
        return;
    }
    remarks(target, reviewed, terminal);
    let count = |severity| {
        let findings = reviewed.iter().flat_map(|one| &one.checked.findings);
        findings.filter(|finding| finding.severity == severity).count()
    };
    if refused.is_none() {
        let warnings = count(Severity::Warning) + target.manifest.warnings.len();
        let imports: usize = reviewed.iter().map(|one| one.checked.imports.len()).sum();
        terminal.done(&format!(
            "{}: {}, {}, {}",
            target.manifest.app.name,
            counted(reviewed.len(), "component"),
            counted(imports, "import"),
            counted(warnings, "warning"),
        ));
    }
}

/// Prints warnings and notes.
pub(super) fn remarks(target: &Target, reviewed: &[Reviewed], terminal: Terminal) {
    warnings(target, reviewed, terminal);
    for one in reviewed {
        for note in one.checked.findings.iter().filter(|finding| finding.severity == Severity::Note) {
            terminal.note(&format!("`{}`: {}", one.name, note.message));
        }
    }
}

/// Prints the warnings alone.
pub(super) fn warnings(target: &Target, reviewed: &[Reviewed], terminal: Terminal) {
    if let Some(file) = &target.file {
        for problem in &target.manifest.warnings {
            let at = place(target, Some(problem.position(&file.text)));
            terminal.warning(&format!("{}{at}", problem.message));
        }
    }
    for one in reviewed {
        for finding in one.checked.findings.iter().filter(|finding| finding.severity == Severity::Warning) {
            let at = place(target, review::position(target, &one.name, finding));
            terminal.warning(&format!("`{}`: {}{at}", one.name, finding.message));
        }
    }
}

fn place(target: &Target, position: Option<Position>) -> String {
    match (&target.file, position) {
        (Some(file), Some(position)) => format!(" ({}:{position})", file.path.display()),
        _ => String::new(),
    }
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// One row for each import; every column as wide as its widest cell.
fn table(target: &Target, reviewed: &[Reviewed]) -> String {
    let header = ["COMPONENT", "IMPORT", "GRANTED", "BY"].map(str::to_owned);
    let mut rows = vec![header];
    for one in reviewed {
        if one.checked.imports.is_empty() {
            rows.push([one.name.to_string(), "(none)".to_owned(), String::new(), String::new()]);
        }
        for import in &one.checked.imports {
            let by = granting_line(target, one, import).map_or_else(String::new, |line| format!("line {line}"));
            rows.push([one.name.to_string(), import.name.clone(), granted(import), by]);
        }
    }
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push('\n');
    for one in reviewed {
        let _ = writeln!(text, "{}: {}, {}", one.name, one.inspection.kind, one.path.display());
        if let Some(plan) = &one.snapshot {
            let _ = writeln!(text, "{}: snapshot: {plan}", one.name);
        }
    }
    text
}

fn granted(import: &Import) -> String {
    match &import.access {
        Access::Always => "always".to_owned(),
        Access::Granted(entries) => entries.join(", "),
        Access::Refused => "nothing".to_owned(),
        Access::Linked(name) => format!("-> {name}"),
        Access::Missing => "missing".to_owned(),
        Access::NotOffered => "not offered".to_owned(),
    }
}

/// The line of the manifest that grants or links an import.
fn granting_line(target: &Target, one: &Reviewed, import: &Import) -> Option<usize> {
    let file = target.file.as_ref()?;
    let spans = &target.manifest.components.get(&one.name)?.spans;
    let span = match &import.access {
        Access::Granted(_) => spans.grant.get(&import.capability?)?,
        Access::Linked(_) => {
            let unversioned = import.name.split('@').next().unwrap_or(&import.name);
            spans.link.get(&import.name).or_else(|| spans.link.get(unversioned))?
        }
        Access::Always | Access::Refused | Access::Missing | Access::NotOffered => return None,
    };
    Some(Position::of(&file.text, span.start).line)
}

fn as_json(target: &Target, reviewed: &[Reviewed], refused: Option<&Failure>) -> Value {
    let components: Vec<Value> = reviewed.iter().map(|one| component_json(target, one)).collect();
    let warnings = target.file.iter().flat_map(|file| {
        let warnings = target.manifest.warnings.iter();
        warnings.map(|problem| json!({ "message": problem.message, "line": problem.position(&file.text).line, "help": problem.help }))
    });
    json!({
        "app": target.manifest.app.name.as_str(),
        "manifest": target.file.as_ref().map(|file| file.path.display().to_string()),
        "valid": refused.is_none(),
        "warnings": warnings.collect::<Vec<_>>(),
        "components": components,
    })
}

fn component_json(target: &Target, one: &Reviewed) -> Value {
    let import = |import: &Import| {
        let entries = match &import.access {
            Access::Granted(entries) => json!(entries),
            Access::Linked(name) => json!([name.as_str()]),
            Access::Always | Access::Refused | Access::Missing | Access::NotOffered => json!([]),
        };
        json!({
            "import": import.name,
            "access": import.access.label(),
            "grant": import.capability.map(|capability| capability.label()),
            "entries": entries,
            "line": granting_line(target, one, import),
        })
    };
    let findings = one.checked.findings.iter().map(|finding| {
        json!({
            "severity": finding.severity.label(),
            "message": finding.message,
            "help": finding.help,
            "line": review::position(target, &one.name, finding).map(|position| position.line),
        })
    });
    json!({
        "component": one.name.as_str(),
        "source": one.path.display().to_string(),
        "kind": one.inspection.kind.label(),
        "snapshot": one.snapshot.as_ref().map(ToString::to_string),
        "imports": one.checked.imports.iter().map(import).collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
    })
}
