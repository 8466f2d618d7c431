//! What happens on the terminal: keys, and changes of its size.

use std::io;
use std::thread;

use crossterm::event::{Event, read};
use tokio::sync::mpsc;

/// Events that nobody has looked at; whoever types on waits.
const WAITING_MAX: usize = 64;

/// Reads what happens until nobody wants to know, or it cannot be read.
///
/// On a thread of its own, which nothing waits for: where the terminal has gone away, crossterm 0.29 reads on and on
/// without an end, in whatever asks it (<https://github.com/crossterm-rs/crossterm/issues/793>). The thread ends with
/// the process. Of crossterm's two ways to read, the workspace takes `use-dev-tty`: the other forgets what was typed
/// while the size changed until something else is typed.
pub(super) fn happenings() -> io::Result<mpsc::Receiver<io::Result<Event>>> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
        loop {
            let happened = read();
            let is_last = happened.is_err();
            if sender.blocking_send(happened).is_err() || is_last {
                return;
            }
        }
    })?;
    Ok(receiver)
}
