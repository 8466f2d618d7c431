//! What can be typed.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Erase,
    /// Ctrl-C, in whatever is going on.
    Interrupt,
    /// A character that can be seen, or a space.
    Letter(char),
}

impl Key {
    /// What a terminal reported, if it means something.
    pub(super) fn read(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let with_others = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SUPER;
        match event.code {
            KeyCode::Char('c') if event.modifiers.contains(KeyModifiers::CONTROL) => Some(Self::Interrupt),
            KeyCode::Char(_) if event.modifiers.intersects(with_others) => None,
            KeyCode::Char(char) => (char.is_ascii_graphic() || char == ' ').then_some(Self::Letter(char)),
            KeyCode::Up => Some(Self::Up),
            KeyCode::Down => Some(Self::Down),
            KeyCode::PageUp => Some(Self::PageUp),
            KeyCode::PageDown => Some(Self::PageDown),
            KeyCode::Home => Some(Self::Home),
            KeyCode::End => Some(Self::End),
            KeyCode::Enter => Some(Self::Enter),
            KeyCode::Esc => Some(Self::Escape),
            KeyCode::Backspace => Some(Self::Erase),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_mean_something() {
        let check = |code, modifiers, expect| assert_eq!(Key::read(KeyEvent::new(code, modifiers)), expect, "{code:?}");
        check(KeyCode::Char('q'), KeyModifiers::NONE, Some(Key::Letter('q')));
        check(KeyCode::Char('/'), KeyModifiers::SHIFT, Some(Key::Letter('/')));
        check(KeyCode::Char('c'), KeyModifiers::CONTROL, Some(Key::Interrupt));
        check(KeyCode::Char('q'), KeyModifiers::CONTROL, None);
        check(KeyCode::Char('\u{1b}'), KeyModifiers::NONE, None);
        check(KeyCode::Char('\u{202e}'), KeyModifiers::NONE, None);
        check(KeyCode::F(1), KeyModifiers::NONE, None);
        check(KeyCode::Backspace, KeyModifiers::NONE, Some(Key::Erase));
        let released = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(Key::read(released), None);
    }
}
