//! What is in the columns of a table.

use std::fmt;

use crate::record::{Record, records};

/// The columns of a table, in their order.
#[derive(Debug)]
pub(crate) struct Summary {
    columns: Vec<Column>,
}

/// What is in one column.
#[derive(Debug)]
struct Column {
    name: String,
    filled: usize,
    values: Values,
}

#[derive(Debug)]
enum Values {
    None,
    Numbers { smallest: f64, largest: f64, sum: f64 },
    Texts { smallest: String, largest: String },
}

impl Summary {
    /// Reads a table whose first record names the columns.
    ///
    /// # Errors
    /// When it is no table: a record has another number of fields, or the text is no CSV.
    pub(crate) fn of(text: &str) -> Result<Self, String> {
        let records = records(text.strip_prefix('\u{feff}').unwrap_or(text))?;
        let (header, records) = records.split_first().ok_or("there is no table: its first line names the columns")?;
        let width = header.fields.len();
        if let Some(record) = records.iter().find(|record| record.fields.len() != width) {
            let (line, found) = (record.line, record.fields.len());
            return Err(format!("line {line} has {found} fields, and the header has {width}"));
        }
        let columns = header.fields.iter().enumerate().map(|(place, name)| Column::of(name, place, records));
        Ok(Self { columns: columns.collect() })
    }
}

impl Column {
    fn of(name: &str, place: usize, records: &[Record]) -> Self {
        let fields = || records.iter().filter_map(|record| record.fields.get(place)).filter(|field| !field.is_empty());
        let numbers: Option<Vec<f64>> = fields().map(|field| number(field)).collect();
        let values = match (numbers.as_deref(), fields().min(), fields().max()) {
            (Some([first, rest @ ..]), _, _) => Values::Numbers {
                smallest: rest.iter().copied().fold(*first, f64::min),
                largest: rest.iter().copied().fold(*first, f64::max),
                sum: rest.iter().sum::<f64>() + first,
            },
            (None, Some(smallest), Some(largest)) => {
                Values::Texts { smallest: smallest.clone(), largest: largest.clone() }
            }
            _ => Values::None,
        };
        Self { name: name.to_owned(), filled: fields().count(), values }
    }

    fn cells(&self) -> [String; 6] {
        let (name, filled) = (self.name.clone(), self.filled.to_string());
        match &self.values {
            Values::None => [name, filled, String::new(), String::new(), String::new(), String::new()],
            Values::Numbers { smallest, largest, sum } => {
                let count = u32::try_from(self.filled).map_or(f64::NAN, f64::from);
                let mean = (sum / count * 1e6).round() / 1e6;
                [name, filled, "number".into(), smallest.to_string(), largest.to_string(), mean.to_string()]
            }
            Values::Texts { smallest, largest } => {
                [name, filled, "text".into(), smallest.clone(), largest.clone(), String::new()]
            }
        }
    }
}

/// A number that can be reckoned with.
fn number(field: &str) -> Option<f64> {
    field.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["column", "filled", "kind", "smallest", "largest", "mean"].map(str::to_owned);
        let rows: Vec<[String; 6]> = std::iter::once(header).chain(self.columns.iter().map(Column::cells)).collect();
        let mut widths = [0; 6];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in &rows {
            let cells = row.iter().zip(widths).enumerate();
            let padded: Vec<String> = cells
                .map(
                    |(place, (cell, width))| {
                        if place == 1 { format!("{cell:>width$}") } else { format!("{cell:width$}") }
                    },
                )
                .collect();
            writeln!(f, "{}", padded.join("  ").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_every_kind() {
        let table = "n,t,nothing,mixed\n1,b,,1\n-2.5,a,,x\n,,,\n";
        let expect = "\
column   filled  kind    smallest  largest  mean
n             2  number  -2.5      1        -0.75
t             2  text    a         b
nothing       0
mixed         2  text    1         x
";
        assert_eq!(Summary::of(table).unwrap().to_string(), expect);
        assert!(Summary::of("").is_err());
    }
}
