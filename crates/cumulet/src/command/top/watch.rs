//! The loop: what happens changes the model, and the model is drawn.

use std::io;
use std::pin::pin;

use crossterm::event::Event as Happened;
use futures_util::stream::{self, Stream, StreamExt as _};
use rustix::io::Errno;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::draw::{Theme, draw};
use super::key::Key;
use super::keyboard::happenings;
use super::model::{Event, Model};
use super::screen::Screen;
use super::{Source, is_screen};
use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;

/// The signals by which a process is asked to end.
struct Ends {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
}

impl Ends {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one of them. Cancel safe.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Shows the model on the terminal until the person has seen enough.
pub(super) async fn watch(source: Source, model: Model, theme: Theme) -> Ended {
    match shown(source, model, theme).await {
        Ok(()) => Ok(Exit::DONE),
        // The signal that says so may come later than the first error.
        Err(error) if has_gone_away(&error) => Ok(Exit::DONE),
        Err(error) => Err(Failure::new(Exit::FAILED, "cannot draw on the terminal")
            .because(&error)
            .next("print one table with --once, or data with --json")),
    }
}

async fn shown(source: Source, mut model: Model, theme: Theme) -> io::Result<()> {
    // Before the terminal is taken: whatever ends this gives it back.
    let mut ends = Ends::listen()?;
    let mut looks = pin!(looks(source));
    let mut screen = Screen::open()?;
    let mut happenings = happenings()?;
    let (width, height) = screen.size()?;
    model.on(Event::Sized(width, height));
    while !model.is_over() {
        screen.draw(|frame| draw(frame, &model, theme))?;
        tokio::select! {
            // What is typed goes before what is seen: a fast node takes no key from a person.
            biased;
            () = ends.asked() => return Ok(()),
            happened = happenings.recv() => match happened {
                Some(happened) => read(happened?).into_iter().for_each(|event| model.on(event)),
                // The terminal has gone away.
                None => return Ok(()),
            },
            Some(look) = looks.next() => model.on(look),
        }
    }
    Ok(())
}

/// Whether the terminal is no more: it fails at once, and is no terminal a moment later.
fn has_gone_away(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error()) || !is_screen()
}

/// Looks at the node again and again, with the same pause before each look.
fn looks(source: Source) -> impl Stream<Item = Event> {
    stream::unfold(source, |source| async move {
        tokio::time::sleep(source.every).await;
        let looked = source.look().await.map_err(|error| error.to_string());
        Some((Event::Looked(looked), source))
    })
}

fn read(happened: Happened) -> Option<Event> {
    match happened {
        Happened::Key(key) => Key::read(key).map(Event::Typed),
        Happened::Resize(width, height) => Some(Event::Sized(width, height)),
        _ => None,
    }
}
