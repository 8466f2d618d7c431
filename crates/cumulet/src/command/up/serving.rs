//! The node that `cumulet up` serves with, and the signals that end it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;

use cumulet_node::{Drained, EventFormat, LoadError, LoadErrorKind, Node, ServeOptions, StartError};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::target::Target;
use crate::terminal::{Terminal, Voice};

/// How to serve.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) listen: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) data_dir: PathBuf,
    pub(super) env: Vec<(String, String)>,
    pub(super) voice: Voice,
}

/// A node that has started.
#[derive(Debug)]
pub(super) struct Serving {
    node: Node,
}

impl Serving {
    /// Opens the listeners. Requests wait until something is loaded.
    ///
    /// # Errors
    /// When an address is taken or the data folder cannot be used.
    pub(super) fn start(options: Options) -> Result<Self, Box<Failure>> {
        let events = match options.voice {
            Voice::Json => EventFormat::Json,
            Voice::Plain => EventFormat::Plain,
            Voice::Quiet => EventFormat::Failures,
        };
        let Options { listen, admin, data_dir, env, .. } = options;
        let options = ServeOptions { listen, admin, data_dir, env, events, threads: None };
        let node = Node::start(options).map_err(|error| not_started(&error))?;
        Ok(Self { node })
    }

    /// Compiles what is new in `target` and puts it in the place of what is served.
    ///
    /// # Errors
    /// When a component does not compile or link. What was served before still is.
    pub(super) async fn load(&self, target: &Target, terminal: Terminal) -> Result<(), Box<Failure>> {
        let step = terminal.step(format!("loading {}", target.manifest.app.name));
        let loaded = self.node.load(&target.manifest, &target.base_dir, |one| step.tell(&one.to_string())).await;
        drop(step);
        let loaded = loaded.map_err(|error| not_loaded(target, &error))?;
        self.node.install(loaded);
        Ok(())
    }

    /// Where requests are answered.
    pub(super) fn url(&self) -> String {
        self.node.url().to_owned()
    }

    /// Where the operator looks.
    pub(super) fn admin_url(&self) -> String {
        self.node.admin_url().to_owned()
    }

    /// Accepts nothing more and finishes what runs.
    pub(super) async fn drain(self) -> Drained {
        self.node.drain().await
    }
}

/// The signals that end the process in order.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// The signal that came.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    Interrupt,
    Terminate,
}

impl Stop {
    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

impl Signals {
    /// Takes both signals over; until then they end the process at once.
    pub(super) fn install() -> Result<Self, Box<Failure>> {
        let take =
            |kind| signal(kind).map_err(|error| Failure::new(Exit::FAILED, "cannot handle signals").because(&error));
        Ok(Self { interrupt: take(SignalKind::interrupt())?, terminate: take(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
        }
    }
}

fn not_started(error: &StartError) -> Box<Failure> {
    let failure = Failure::new(Exit::FAILED, error.to_string());
    let failure = match std::error::Error::source(error) {
        Some(source) => failure.because(source),
        None => failure,
    };
    match error {
        StartError::Bind(bind) if bind.source.kind() == ErrorKind::AddrInUse => {
            failure.next("end what listens there, or choose another with --listen and --admin; port 0 picks a free one")
        }
        StartError::Bind(_) => {
            failure.next("choose an address of this machine and a port from 1024 with --listen and --admin")
        }
        StartError::DataDir { .. } | StartError::Key(_) | StartError::Store(_) => {
            failure.next("choose a folder that can be written with --data-dir")
        }
        StartError::Engine(_) | StartError::Thread(_) => {
            failure.next("see how much memory and how many threads may be had here (ulimit -a)")
        }
        StartError::Link(_) => failure,
    }
}

fn not_loaded(target: &Target, error: &LoadError) -> Box<Failure> {
    let failure = Failure::new(Exit::INVALID, error.to_string());
    let component = target.manifest.components.get(&error.component);
    let failure = match (component.and_then(|component| target.source_path(component)), &target.file) {
        (Some(path), _) => failure.at(&path),
        (None, Some(file)) => failure.at(&file.path),
        (None, None) => failure,
    };
    failure.because(&error.kind).next(match &error.kind {
        LoadErrorKind::Source(_) => "see that the file is there and can be read",
        LoadErrorKind::Inspect(_) | LoadErrorKind::Map(_) => "build it again",
        LoadErrorKind::Compile(_) => "validate it with `cumulet check`, and build it again",
        LoadErrorKind::Store(_) => {
            "see that the data folder can be written and has space, or choose another with --data-dir"
        }
        LoadErrorKind::Profile(_) => "correct the grant",
        LoadErrorKind::NotAHandler => "remove it from the manifest, or run it with `cumulet run`",
        LoadErrorKind::Prepare(_) => "run `cumulet check` to see what it imports and what is offered",
        LoadErrorKind::Remote => "fetch the component and give its path as `source`",
        LoadErrorKind::Routes(_) => "correct the routes",
        LoadErrorKind::Interrupted => "try again",
    })
}
