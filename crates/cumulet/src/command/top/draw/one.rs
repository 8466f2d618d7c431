//! One app: what it does, its revisions, how its requests ended, and how long they took.

use cumulet_spec::api::{LiveApp, quantile};
use cumulet_spec::id::AppId;
use ratatui::text::{Line, Span};

use super::{Theme, fit, joined, legible};
use crate::command::top::history::{Row, TREND_MAX};
use crate::command::top::model::{Model, name};
use crate::command::top::number::{bars, bytes, count, percent, rate, time};
use crate::table::aligned;

/// The most revisions that are shown: those with the most requests.
const REVISIONS_MAX: usize = 6;
/// The most ways to end that are shown: the most frequent ones.
const OUTCOMES_MAX: usize = 8;
/// How wide what stands on the left is where something stands beside it.
const LEFT: usize = 46;
/// From which width on there is room for both.
const BESIDE_FROM: usize = 78;

/// All that is known of an app.
pub(super) fn lines(model: &Model, id: &AppId, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let history = model.history();
    let row = history.rows().into_iter().find(|row| row.id == *id);
    let (Some(app), Some(row)) = (history.app(id), row) else {
        let text = format!("{} has not run for so long that the node has forgotten of it", name(id));
        return vec![Line::raw(""), Line::raw(fit(&text, width))];
    };
    let mut lines = vec![Line::styled(fit(&name(id), width), theme.columns())];
    lines.extend(summary(model, app, &row).into_iter().map(|text| Line::raw(fit(&text, width))));
    let trend = width.saturating_sub("executed ".len()).min(TREND_MAX);
    let top = row.trend.iter().copied().max().unwrap_or_default();
    let trend = Span::styled(bars(&row.trend, trend, top), theme.bar());
    lines.push(Line::from(vec![Span::raw("executed "), trend]));
    lines.push(Line::raw(""));
    let left = revisions(model, id, app).into_iter().chain([String::new()]).chain(outcomes(app));
    if width < BESIDE_FROM {
        lines.extend(left.map(|text| Line::raw(fit(&text, width))));
        lines.push(Line::raw(""));
        lines.extend(latency(model, app, &row, theme, width));
        return lines;
    }
    let mut right = latency(model, app, &row, theme, width.saturating_sub(LEFT)).into_iter();
    let mut left = left.peekable();
    while left.peek().is_some() || right.len() > 0 {
        let text = left.next().unwrap_or_default();
        let mut spans = vec![Span::raw(format!("{:<LEFT$}", fit(&text, LEFT - 2)))];
        spans.extend(right.next().map(|line| line.spans).unwrap_or_default());
        lines.push(Line::from(spans));
    }
    lines
}

/// What it does now, and what it did since the node started.
fn summary(model: &Model, app: &LiveApp, row: &Row) -> [String; 4] {
    let none = || "-".to_owned();
    let known = |text: Option<String>| text.unwrap_or_else(none);
    let rates = row.rates.as_ref();
    let bounds = model.history().bounds();
    let p90 = rates.and_then(|rates| quantile(bounds, &rates.latency, 0.9));
    [
        format!(
            "now    executed {}  requests/s {}  failed/s {}",
            known(rates.map(|rates| percent(rates.executed_ppm))),
            known(rates.map(|rates| rate(rates.requests_milli))),
            known(rates.map(|rates| rate(rates.errors_milli))),
        ),
        format!(
            "       p50 {}  p90 {}  p99 {}  in/s {}  out/s {}",
            known(rates.and_then(|rates| rates.p50_us).map(time)),
            known(p90.map(time)),
            known(rates.and_then(|rates| rates.p99_us).map(time)),
            bytes(row.bytes_in),
            bytes(row.bytes_out),
        ),
        format!(
            "total  executed {}  requests {}  failed {}",
            time(app.executed_us),
            count(app.requests),
            count(app.errors),
        ),
        format!(
            "       cold starts {}  most memory of one invocation {}",
            count(app.cold_starts),
            bytes(app.memory_peak_bytes),
        ),
    ]
}

fn revisions(model: &Model, id: &AppId, app: &LiveApp) -> Vec<String> {
    let mut revisions: Vec<_> = app.revisions.iter().collect();
    revisions.sort_by_key(|revision| std::cmp::Reverse(revision.requests));
    let header = ["REVISION", "EXECUTED", "REQ/S", "P99", "ERR/S"].map(str::to_owned).to_vec();
    let mut rows = vec![header];
    for revision in revisions.into_iter().take(REVISIONS_MAX) {
        let mut row = vec![fit(&legible(&revision.revision), 12)];
        match model.history().revision(id, revision) {
            Some(rates) => row.extend([
                percent(rates.executed_ppm),
                rate(rates.requests_milli),
                rates.p99_us.map_or_else(|| "-".to_owned(), time),
                rate(rates.errors_milli),
            ]),
            None => row.extend(["-", "-", "-", "-"].map(str::to_owned)),
        }
        rows.push(row);
    }
    aligned(&rows, 1)
}

/// How requests ended since the node started.
fn outcomes(app: &LiveApp) -> Vec<String> {
    let mut outcomes: Vec<(&String, u64)> = app.outcomes.iter().map(|(outcome, count)| (outcome, *count)).collect();
    outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rows = outcomes.into_iter().take(OUTCOMES_MAX);
    let rows = rows.map(|(outcome, number)| vec![fit(&legible(outcome), 16), count(number)]);
    let rows: Vec<Vec<String>> = [vec!["OUTCOME".to_owned(), "TOTAL".to_owned()]].into_iter().chain(rows).collect();
    aligned(&rows, 1)
}

/// How long requests took: now, or since the node started where there are none now.
fn latency(model: &Model, app: &LiveApp, row: &Row, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let now = row.rates.as_ref().map(|rates| rates.latency.as_slice());
    let now = now.filter(|buckets| buckets.iter().any(|count| *count > 0));
    let title = if now.is_some() { "LATENCY now" } else { "LATENCY since the node started" };
    let buckets = now.unwrap_or(&app.latency);
    let mut lines = vec![Line::raw(fit(title, width))];
    let max = buckets.iter().copied().max().unwrap_or_default();
    let (Some(first), Some(last)) =
        (buckets.iter().position(|count| *count > 0), buckets.iter().rposition(|count| *count > 0))
    else {
        return lines;
    };
    let bounds = model.history().bounds();
    let room = width.saturating_sub(10 + 9);
    for (place, number) in buckets.iter().enumerate().take(last + 1).skip(first) {
        let label = match (bounds.get(place), bounds.last()) {
            (Some(bound), _) => format!("≤ {}", time(*bound)),
            (None, Some(bound)) => format!("> {}", time(*bound)),
            (None, None) => String::new(),
        };
        let columns = u128::from(*number) * u128::try_from(room).unwrap_or_default() / u128::from(max.max(1));
        let columns = usize::try_from(columns).unwrap_or(room).max(usize::from(*number > 0));
        let bar = Span::styled("█".repeat(columns.min(room)), theme.bar());
        let label = joined([label], "", 9);
        lines.push(Line::from(vec![Span::raw(format!("{label:>9} {:>8} ", count(*number))), bar]));
    }
    lines
}
