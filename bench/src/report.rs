//! A bench's result: tables for people, the same figures as JSON for tools.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::machine::{Machine, Quiet};
use crate::spread::Spread;

/// One field of a table.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// A name.
    Text(String),
    /// One figure and how many digits after the point are printed.
    Number(f64, usize),
    /// Repetitions, printed as `median (min–max)`, and the digits.
    Spread(Spread, usize),
    /// Not measured.
    None,
}

impl Cell {
    /// A name.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Repetitions of a figure.
    pub(crate) fn spread(values: &[f64], digits: usize) -> Self {
        Spread::of(values).map_or(Self::None, |spread| Self::Spread(spread, digits))
    }

    /// A figure that may be missing.
    pub(crate) fn number(value: Option<f64>, digits: usize) -> Self {
        value.map_or(Self::None, |value| Self::Number(value, digits))
    }

    fn print(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(value, digits) => format!("{value:.digits$}"),
            Self::Spread(Spread { median, min, max }, digits) => {
                format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
            }
            Self::None => "–".into(),
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(value, _) => json!(value),
            Self::Spread(spread, _) => json!(spread),
            Self::None => Value::Null,
        }
    }
}

/// A table with named columns. Its rows have as many cells as there are columns.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    pub(crate) fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            columns: columns.iter().map(|name| (*name).to_string()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    fn print(&self) -> String {
        let mut lines: Vec<Vec<String>> = vec![self.columns.clone()];
        lines.extend(self.rows.iter().map(|row| row.iter().map(Cell::print).collect()));
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max())
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = format!("{}\n", self.title);
        for line in lines {
            let mut row = String::new();
            for (place, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width.saturating_sub(cell.chars().count()));
                // Names stand left, figures right.
                let parts = if place == 0 { ["  ", cell, &pad] } else { ["   ", &pad, cell] };
                row.extend(parts);
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    fn value(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                Value::Object(self.columns.iter().cloned().zip(row.iter().map(Cell::value)).collect::<Map<_, _>>())
            })
            .collect();
        json!({ "title": self.title, "rows": rows })
    }
}

/// All that a bench found.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    name: &'static str,
    tables: Vec<Table>,
    notes: Vec<String>,
    left_out: Vec<String>,
    before: Quiet,
}

impl Report {
    /// An empty report; reads how quiet the machine is.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, tables: Vec::new(), notes: Vec::new(), left_out: Vec::new(), before: Quiet::read() }
    }

    /// Adds a table.
    pub(crate) fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a sentence about how something was measured.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Names something that could not take part, and how to get it.
    pub(crate) fn left_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// Writes the tables to `out` and the JSON into `folder`, and says where that is.
    pub(crate) fn publish(&self, machine: &Machine, folder: &Path, out: &mut impl io::Write) -> Result<PathBuf> {
        let after = Quiet::read();
        let mut text = format!(
            "\nbench {}\n  kernel {} · {} · {} cores · {} · commit {}\n",
            self.name, machine.kernel, machine.processor, machine.cores, machine.flags, machine.commit
        );
        writeln!(text, "  load before {} · after {}", self.before.load, after.load)?;
        writeln!(text, "  cpu pressure before: {} · after: {}", self.before.pressure, after.pressure)?;
        if self.before.waiting_percent().is_none_or(|percent| percent > QUIET_PERCENT_MAX) {
            writeln!(text, "  NOT QUIET: other work ran when this bench began; its figures are no result")?;
        }
        for table in &self.tables {
            write!(text, "\n{}", table.print())?;
        }
        text.push('\n');
        for note in &self.notes {
            writeln!(text, "  note: {note}")?;
        }
        for what in &self.left_out {
            writeln!(text, "  left out: {what}")?;
        }
        out.write_all(text.as_bytes())?;
        let path = folder.join(format!("{}.json", self.name));
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let json = serde_json::to_vec_pretty(&self.value(machine, &after))?;
        fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn value(&self, machine: &Machine, after: &Quiet) -> Value {
        json!({
            "version": 1,
            "bench": self.name,
            "machine": machine,
            "quiet": { "before": self.before, "after": after },
            "tables": self.tables.iter().map(Table::value).collect::<Vec<_>>(),
            "notes": self.notes,
            "left_out": self.left_out,
        })
    }
}

/// Above this share of time in which tasks waited for a core before a bench, in percent, the machine was not quiet.
const QUIET_PERCENT_MAX: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_prints_aligned_and_as_json() {
        let mut table = Table::new("title", &["server", "rate"]);
        table.row(vec![Cell::text("a"), Cell::spread(&[1.0, 3.0, 2.0], 1)]);
        table.row(vec![Cell::text("longer"), Cell::None]);
        assert_eq!(
            table.print(),
            "title\n  server            rate\n  a        2.0 (1.0–3.0)\n  longer               –\n"
        );
        let rows = json!([{"server": "a", "rate": {"median": 2.0, "min": 1.0, "max": 3.0}}, {"server": "longer", "rate": null}]);
        assert_eq!(table.value(), json!({"title": "title", "rows": rows}));
    }
}
