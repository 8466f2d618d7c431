//! The list of apps: more columns where there is room.

use ratatui::text::{Line, Span};

use super::{Theme, fit};
use crate::command::top::history::{Row, TREND_MAX};
use crate::command::top::model::{Model, name};
use crate::command::top::number::{bars, bytes, count, percent, rate, time};
use crate::command::top::order::SortKey;
use crate::command::top::rates::Rates;

/// The least width of names.
const NAME_MIN: usize = 11;
/// The least top of a trend, in millionths of a core: what does next to nothing looks so.
const TREND_FLOOR: u64 = 10_000;

/// A column behind the name.
#[derive(Debug, Clone, Copy)]
struct Column {
    title: &'static str,
    key: Option<SortKey>,
    /// How wide it is, with the space before it.
    width: usize,
    /// From which width of the terminal on it is there.
    from: usize,
    cell: Cell,
}

/// What is in a column.
#[derive(Debug, Clone, Copy)]
enum Cell {
    /// Something that is known of every app.
    Known(fn(&Row) -> String),
    /// Something that takes two looks.
    Rate(fn(&Rates) -> Option<String>),
    /// Executed time at the last looks.
    Trend,
}

const COLUMNS: [Column; 11] = [
    column("EXECUTED", Some(SortKey::Executed), (10, 0), Cell::Rate(|rates| Some(percent(rates.executed_ppm)))),
    column("TREND", None, (21, 100), Cell::Trend),
    column("REQ/S", Some(SortKey::Requests), (9, 0), Cell::Rate(|rates| Some(rate(rates.requests_milli)))),
    column("P50", None, (9, 108), Cell::Rate(|rates| rates.p50_us.map(time))),
    column("P99", Some(SortKey::P99), (9, 0), Cell::Rate(|rates| rates.p99_us.map(time))),
    column("MEMORY", Some(SortKey::Memory), (10, 60), Cell::Known(|row| bytes(row.memory_peak_bytes))),
    column("COLD", Some(SortKey::ColdStarts), (7, 66), Cell::Known(|row| count(row.cold_starts))),
    column("ERR/S", Some(SortKey::Errors), (8, 48), Cell::Rate(|rates| Some(rate(rates.errors_milli)))),
    column("REQUESTS", None, (10, 118), Cell::Known(|row| count(row.requests))),
    column("IN/S", None, (10, 140), Cell::Known(|row| bytes(row.bytes_in))),
    column("OUT/S", None, (10, 140), Cell::Known(|row| bytes(row.bytes_out))),
];

const fn column(title: &'static str, key: Option<SortKey>, (width, from): (usize, usize), cell: Cell) -> Column {
    Column { title, key, width, from, cell }
}

/// The names of the columns, and the apps in sight.
pub(super) fn lines(model: &Model, theme: Theme, (width, height): (usize, usize)) -> Vec<Line<'static>> {
    let columns: Vec<Column> = COLUMNS.into_iter().filter(|column| column.from <= width).collect();
    let others: usize = columns.iter().map(|column| column.width).sum();
    let names = width.saturating_sub(others).max(NAME_MIN);
    let (rows, first) = model.rows();
    let top = rows.iter().flat_map(|row| row.trend.iter().copied()).max().unwrap_or_default().max(TREND_FLOOR);
    let mut lines = vec![titles(model, &columns, names, theme)];
    if rows.is_empty() {
        lines.push(Line::styled(fit(nothing(model), width), theme.dim()));
    }
    let chosen = model.place();
    for (place, row) in rows.iter().enumerate().skip(first).take(height.saturating_sub(1)) {
        let line = line(row, &columns, (names, top), theme);
        lines.push(if chosen == Some(place) { line.patch_style(theme.chosen()) } else { line });
    }
    lines
}

fn nothing(model: &Model) -> &'static str {
    if model.filter().is_empty() { "no app has run since the node started" } else { "no app has this in its name" }
}

fn titles(model: &Model, columns: &[Column], names: usize, theme: Theme) -> Line<'static> {
    let order = model.order();
    let mark = if order.is_ascending() { "▲" } else { "▼" };
    let title = |title: &str, key: Option<SortKey>| match key {
        Some(key) if key == order.key => (format!("{title}{mark}"), theme.sorted()),
        _ => (title.to_owned(), theme.columns()),
    };
    let app = if model.filter().is_empty() { "APP".to_owned() } else { format!("APP /{}", model.filter()) };
    let (app, style) = title(&app, Some(SortKey::App));
    let mut spans = vec![Span::styled(format!("{:<names$}", fit(&app, names)), style)];
    for column in columns {
        let (text, style) = title(column.title, column.key);
        spans.push(Span::styled(format!("{text:>width$}", width = column.width), style));
    }
    Line::from(spans)
}

fn line(row: &Row, columns: &[Column], (names, top): (usize, u64), theme: Theme) -> Line<'static> {
    let mut spans = vec![Span::raw(format!("{:<names$}", fit(&name(&row.id), names)))];
    let is_failing = row.rates.as_ref().is_some_and(|rates| rates.errors_milli > 0);
    for column in columns {
        let width = column.width;
        let text = match column.cell {
            Cell::Known(cell) => cell(row),
            Cell::Rate(cell) => row.rates.as_ref().and_then(cell).unwrap_or_else(|| "-".to_owned()),
            Cell::Trend => bars(&row.trend, TREND_MAX.min(width.saturating_sub(1)), top),
        };
        let text = format!("{:>width$}", fit(&text, width.saturating_sub(1)));
        spans.push(match (column.cell, column.key) {
            (Cell::Trend, _) => Span::styled(text, theme.bar()),
            (_, Some(SortKey::Errors)) if is_failing => Span::styled(text, theme.bad()),
            _ => Span::raw(text),
        });
    }
    Line::from(spans)
}
