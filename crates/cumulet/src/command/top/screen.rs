//! The terminal while it is ours. However this ends, it is left as it was found.

use std::io;
use std::mem::ManuallyDrop;

use ratatui::{DefaultTerminal, Frame};

/// A terminal of which every line is drawn, without a cursor and without echo.
#[derive(Debug)]
pub(super) struct Screen {
    /// Never dropped: it would tell a terminal that has gone away that it cannot be told anything, and panic.
    terminal: ManuallyDrop<DefaultTerminal>,
}

impl Screen {
    /// Takes the terminal. A panic gives it back before it is told of.
    pub(super) fn open() -> io::Result<Self> {
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal) }),
            Err(error) => {
                // What was done before it failed is undone.
                drop(ratatui::try_restore());
                Err(error)
            }
        }
    }

    /// Its columns and lines.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height))
    }

    /// Draws what has changed.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_frame| ())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that has gone away needs nothing back.
        drop(self.terminal.show_cursor());
        drop(ratatui::try_restore());
    }
}
