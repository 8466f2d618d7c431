//! How text stands out, with colours and without.

use ratatui::style::{Color, Modifier, Style};

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::command::top) enum Theme {
    Colored,
    Plain,
}

impl Theme {
    /// The first line.
    pub(super) fn head(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The names of columns.
    pub(super) fn columns(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The column that the list is sorted by.
    pub(super) fn sorted(self) -> Style {
        self.columns().add_modifier(Modifier::BOLD)
    }

    /// The chosen app.
    pub(super) fn chosen(self) -> Style {
        match self {
            Self::Colored => Style::new().fg(Color::Black).bg(Color::Cyan),
            Self::Plain => Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        }
    }

    /// What is there to be looked up.
    pub(super) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What is wrong.
    pub(super) fn bad(self) -> Style {
        match self {
            Self::Colored => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            Self::Plain => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// Bars.
    pub(super) fn bar(self) -> Style {
        match self {
            Self::Colored => Style::new().fg(Color::Green),
            Self::Plain => Style::new(),
        }
    }
}
