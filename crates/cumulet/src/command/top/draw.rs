//! What a model looks like. It changes nothing, and draws on terminals of every size.

mod list;
mod one;
mod theme;

use ratatui::Frame;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::model::{Mode, Model};
use super::number::{age, bytes, count};

pub(super) use theme::Theme;

/// What keys do, as it stands on the last line while there is room.
const KEYS: [&str; 6] = ["q quit", "? help", "/ filter", "Enter one app", "e n p m c f a sort", "r reverse"];
/// The same where one app is shown.
const KEYS_ONE: [&str; 3] = ["q quit", "Esc back", "? help"];
/// The same while a filter is typed.
const KEYS_TYPING: [&str; 2] = ["Enter keep", "Esc clear"];
/// What keys do, in full.
const HELP: [(&str, &str); 17] = [
    ("Up Down PgUp PgDn Home End", "choose an app"),
    ("Enter", "show it alone: revisions, latency, how requests ended"),
    ("/", "type a part of a name: only apps with it are listed"),
    ("e", "sort by executed time, the share of one core"),
    ("n", "sort by the number of requests in a second"),
    ("p", "sort by p99: one in a hundred requests took longer"),
    ("m", "sort by memory, the most that one invocation had"),
    ("c", "sort by cold starts since the node started"),
    ("f", "sort by failed requests in a second"),
    ("a", "sort by name"),
    ("r", "reverse the order"),
    ("Esc", "back; out of the list, the end"),
    ("q, Ctrl-C", "the end"),
    ("", ""),
    ("", "Rates are of the last 5 seconds."),
    ("", "p50 and p99 are estimates from counts in buckets."),
    ("", "Failed: the guest's fault, or a status from 500 on."),
];

/// Draws the model on the whole terminal.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, theme: Theme) {
    let area = frame.area();
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let mut lines = vec![head(model, theme, width)];
    lines.extend(node(model, width));
    let room = height.saturating_sub(lines.len() + 1);
    lines.extend(match model.mode() {
        Mode::List | Mode::Typing => list::lines(model, theme, (width, room)),
        Mode::Help => HELP.iter().map(|(key, what)| Line::raw(format!("{key:<27}{what}"))).collect(),
        Mode::One(id) => one::lines(model, id, theme, width),
    });
    // The last line is the foot, whatever does not fit above it.
    lines.resize(height.saturating_sub(1), Line::default());
    lines.push(foot(model, theme, width));
    frame.render_widget(Paragraph::new(lines), area);
}

/// The node, how long it has run, and how much of it is shown.
fn head(model: &Model, theme: Theme, width: usize) -> Line<'static> {
    let newest = model.history().newest();
    let age = newest.map(|view| format!("up {}", age(view.at_us.saturating_sub(view.started_us))));
    let apps = match newest.map_or(0, |view| view.apps.len()) {
        1 => "1 app".to_owned(),
        apps => format!("{} apps", count(u64::try_from(apps).unwrap_or(u64::MAX))),
    };
    let parts = ["cumulet top".to_owned(), legible(model.node())].into_iter().chain(age).chain([apps]);
    Line::styled(joined(parts, " · ", width), theme.head())
}

/// What the node holds; nothing where the token reaches one tenant only.
fn node(model: &Model, width: usize) -> Option<Line<'static>> {
    let node = model.history().newest()?.node.as_ref()?;
    let waiting = (node.slots_waiting > 0).then(|| format!("waiting {}", count(node.slots_waiting)));
    let failures = (node.cold_start_failures > 0).then(|| format!("failed {}", count(node.cold_start_failures)));
    let dropped = (node.events_dropped > 0).then(|| format!("events dropped {}", count(node.events_dropped)));
    let parts = [format!("slots {}/{}", count(node.slots_in_use), count(node.slots))].into_iter();
    let parts = parts.chain(waiting).chain([
        format!("memory {}", bytes(node.memory_bytes)),
        format!("loaded {}, {}", count(node.loaded_apps), bytes(node.loaded_bytes)),
        format!("cold starts {}", count(node.cold_starts)),
    ]);
    let parts = parts.chain(failures).chain(dropped).chain([format!("evictions {}", count(node.evictions))]);
    Some(Line::raw(joined(parts, " · ", width)))
}

/// What is wrong, what is typed, or what can be.
fn foot(model: &Model, theme: Theme, width: usize) -> Line<'static> {
    let keys = |keys: &[&str], width: usize| joined(keys.iter().map(|key| (*key).to_owned()), "  ", width);
    if *model.mode() == Mode::Typing {
        let prompt = fit(&format!("/{}_", model.filter()), width);
        let rest = width.saturating_sub(prompt.chars().count() + 2);
        let keys = Span::styled(keys(&KEYS_TYPING, rest), theme.dim());
        return Line::from(vec![Span::raw(prompt), Span::raw("  "), keys]);
    }
    if let Some(why) = model.trouble() {
        let text = format!("no answer, trying again; these figures are old: {}", legible(why));
        return Line::styled(fit(&text, width), theme.bad());
    }
    match model.mode() {
        Mode::One(_) | Mode::Help => Line::styled(keys(&KEYS_ONE, width), theme.dim()),
        Mode::List | Mode::Typing => Line::styled(keys(&KEYS, width), theme.dim()),
    }
}

/// As many of the parts as there is room for; the first one always.
fn joined(parts: impl IntoIterator<Item = String>, between: &str, width: usize) -> String {
    let mut parts = parts.into_iter();
    let mut text = fit(&parts.next().unwrap_or_default(), width);
    for part in parts {
        if text.chars().count() + between.chars().count() + part.chars().count() > width {
            break;
        }
        text = text + between + &part;
    }
    text
}

/// A text that is no wider than this; what is cut ends so that one sees it.
fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let Some(kept) = width.checked_sub(1) else { return String::new() };
    text.chars().take(kept).chain(['…']).collect()
}

/// A text from elsewhere, of which nothing moves the cursor or is wider than it seems.
fn legible(text: &str) -> String {
    text.chars().map(|char| if char.is_ascii_graphic() || char == ' ' { char } else { '?' }).collect()
}

#[cfg(test)]
mod tests;
