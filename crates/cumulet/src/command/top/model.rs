//! What is shown, and how it changes: by looks at the node, keys and the size of the terminal.

use cumulet_spec::api::LiveView;
use cumulet_spec::id::AppId;

use super::history::{History, Row};
use super::key::Key;
use super::order::{Order, SortKey};

/// The longest filter, in characters.
const FILTER_MAX: usize = 64;
/// Lines of the list that are no apps: the head, the node, the columns and the foot.
pub(super) const LINES_AROUND: u16 = 4;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The node was looked at, or why it could not be.
    Looked(Result<LiveView, String>),
    /// A key was pressed.
    Typed(Key),
    /// The terminal is so many columns wide and lines high.
    Sized(u16, u16),
}

/// What fills the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mode {
    /// The list of apps.
    List,
    /// The list, and what is typed narrows it.
    Typing,
    /// What keys do.
    Help,
    /// One app.
    One(AppId),
}

/// All that is known and chosen.
#[derive(Debug)]
pub(super) struct Model {
    node: String,
    history: History,
    trouble: Option<String>,
    order: Order,
    filter: String,
    mode: Mode,
    rows: Vec<Row>,
    chosen: Option<AppId>,
    first: usize,
    height: u16,
    is_over: bool,
}

impl Model {
    /// The list of what was seen first of the node with this URL.
    pub(super) fn new(node: String, order: Order, first: LiveView) -> Self {
        let mut model = Self {
            node,
            history: History::default(),
            trouble: None,
            order,
            filter: String::new(),
            mode: Mode::List,
            rows: Vec::new(),
            chosen: None,
            first: 0,
            height: 24,
            is_over: false,
        };
        model.on(Event::Looked(Ok(first)));
        model
    }

    /// What follows from an event.
    pub(super) fn on(&mut self, event: Event) {
        match event {
            Event::Looked(Ok(view)) => {
                self.history.push(view);
                self.trouble = None;
            }
            Event::Looked(Err(why)) => self.trouble = Some(why),
            Event::Sized(_, height) => self.height = height,
            Event::Typed(Key::Interrupt) => self.is_over = true,
            Event::Typed(key) => self.typed(key),
        }
        self.settle();
    }

    fn typed(&mut self, key: Key) {
        match (&self.mode, key) {
            (Mode::Typing, key) => self.narrow(key),
            (_, Key::Letter('q')) => self.is_over = true,
            (Mode::Help | Mode::One(_), Key::Escape | Key::Enter) | (Mode::Help, Key::Letter('?')) => {
                self.mode = Mode::List;
            }
            (_, Key::Letter('?')) => self.mode = Mode::Help,
            (Mode::Help | Mode::One(_), _) => {}
            (Mode::List, key) => self.list(key),
        }
    }

    /// A key while a filter is typed.
    fn narrow(&mut self, key: Key) {
        match key {
            Key::Letter(letter) if self.filter.len() < FILTER_MAX => self.filter.push(letter),
            Key::Erase => {
                self.filter.pop();
            }
            Key::Enter => self.mode = Mode::List,
            Key::Escape => {
                self.filter.clear();
                self.mode = Mode::List;
            }
            Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Home | Key::End => self.choose(key),
            Key::Letter(_) | Key::Interrupt => {}
        }
    }

    /// A key in the list.
    fn list(&mut self, key: Key) {
        match key {
            Key::Letter('/') => self.mode = Mode::Typing,
            Key::Letter('r') => self.order.is_reversed = !self.order.is_reversed,
            Key::Letter(letter) => {
                if let Some(key) = SortKey::of(letter) {
                    self.order = Order::by(key);
                }
            }
            Key::Enter => {
                let place = self.place().unwrap_or_default();
                if let Some(row) = self.rows.get(place) {
                    self.chosen = Some(row.id.clone());
                    self.mode = Mode::One(row.id.clone());
                }
            }
            Key::Escape if self.filter.is_empty() => self.is_over = true,
            Key::Escape => self.filter.clear(),
            Key::Erase | Key::Interrupt => {}
            Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Home | Key::End => self.choose(key),
        }
    }

    /// Chooses another app; the first key that moves chooses the first one.
    fn choose(&mut self, key: Key) {
        let place = match (self.place(), key) {
            (None, Key::Down | Key::Up) => 0,
            (place, key) => scrolled(place.unwrap_or_default(), key, self.page()),
        };
        let place = place.min(self.rows.len().saturating_sub(1));
        self.chosen = self.rows.get(place).map(|row| row.id.clone());
    }

    /// Makes the list anew, and keeps the chosen app in sight.
    fn settle(&mut self) {
        let mut rows = self.history.rows();
        rows.retain(|row| name(&row.id).contains(&self.filter));
        self.order.sort(&mut rows);
        self.rows = rows;
        let page = self.page();
        match self.place() {
            Some(place) => self.first = self.first.clamp((place + 1).saturating_sub(page), place),
            None => self.chosen = None,
        }
        self.first = self.first.min(self.rows.len().saturating_sub(page));
    }

    /// How many apps are in sight at once.
    fn page(&self) -> usize {
        usize::from(self.height.saturating_sub(LINES_AROUND)).max(1)
    }

    /// Whether it is to end.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The URL of the node.
    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// What was seen.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Why the node could not be looked at the last time.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What fills the terminal.
    pub(super) fn mode(&self) -> &Mode {
        &self.mode
    }

    /// What narrows the list.
    pub(super) fn filter(&self) -> &str {
        &self.filter
    }

    /// In which order the list is.
    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// The list, and from which place on it is in sight.
    pub(super) fn rows(&self) -> (&[Row], usize) {
        (&self.rows, self.first)
    }

    /// Where the chosen app is in the list.
    pub(super) fn place(&self) -> Option<usize> {
        let chosen = self.chosen.as_ref()?;
        self.rows.iter().position(|row| row.id == *chosen)
    }
}

/// An app's name in the list, and what a filter is held against.
pub(super) fn name(id: &AppId) -> String {
    format!("{}/{}", id.tenant, id.app)
}

/// Where a key leads from a place.
fn scrolled(place: usize, key: Key, page: usize) -> usize {
    match key {
        Key::Up => place.saturating_sub(1),
        Key::Down => place.saturating_add(1),
        Key::PageUp => place.saturating_sub(page),
        Key::PageDown => place.saturating_add(page),
        Key::Home => 0,
        Key::End => usize::MAX,
        Key::Enter | Key::Escape | Key::Erase | Key::Interrupt | Key::Letter(_) => place,
    }
}

#[cfg(test)]
mod tests;
