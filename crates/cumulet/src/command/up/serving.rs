//! The node that `cumulet up` and `cumulet node` serve with, and the signals that end it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cumulet_node::compiler::CompileFailure;
use cumulet_node::tls::{AcmeStartError, TlsStartError};
use cumulet_node::values::{SECRET_VARIABLE, ValueError};
use cumulet_node::{
    DeployedOptions, Drained, EventFormat, LoadError, LoadErrorKind, Node, Observe, ServeOptions, StartError,
};
use cumulet_spec::binding::Binding;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::command::Ended;
use crate::command::up::observed::Observed;
use crate::environment::variables;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::target::Target;
use crate::terminal::{Terminal, Voice};

/// How to serve.
#[derive(Debug)]
pub(in crate::command) struct Options {
    pub(in crate::command) listen: SocketAddr,
    pub(in crate::command) admin: SocketAddr,
    pub(in crate::command) data_dir: PathBuf,
    pub(in crate::command) env: Vec<(String, String)>,
    pub(in crate::command) bindings: Vec<Binding>,
    pub(in crate::command) observe: Observe,
    pub(in crate::command) clock_step: Option<Duration>,
    pub(in crate::command) voice: Voice,
    /// What is deployed is served; if there is nothing here, one target.
    pub(in crate::command) deployed: Option<DeployedOptions>,
}

/// A node that has started.
#[derive(Debug)]
pub(in crate::command) struct Serving {
    node: Node,
}

impl Serving {
    /// Opens the listeners. Requests wait until something is loaded.
    ///
    /// # Errors
    /// When an address is taken or the data folder cannot be used.
    pub(in crate::command) fn start(options: Options) -> Result<Self, Box<Failure>> {
        let Options { listen, admin, data_dir, env, bindings, observe, clock_step, voice, deployed } = options;
        let events = match voice {
            Voice::Json => EventFormat::Json,
            Voice::Plain => EventFormat::Plain,
            Voice::Quiet => EventFormat::Failures,
        };
        let variables = variables();
        let options = ServeOptions {
            listen,
            admin,
            data_dir,
            env,
            variables,
            bindings,
            observe,
            clock_step,
            events,
            threads: None,
            deployed,
        };
        let node = Node::start(options).map_err(|error| not_started(&error))?;
        Ok(Self { node })
    }

    /// Compiles what is new in `target` and puts it in the place of what is served.
    ///
    /// # Errors
    /// When a component does not compile or link. What was served before still is.
    pub(in crate::command) async fn load(&self, target: &Target, terminal: Terminal) -> Result<(), Box<Failure>> {
        let step = terminal.step(format!("loading {}", target.manifest.app.name));
        let loaded = self.node.load(&target.manifest, &target.base_dir, |one| step.tell(&one.to_string())).await;
        drop(step);
        let loaded = loaded.map_err(|error| not_loaded(target, &error))?;
        self.node.install(loaded);
        Ok(())
    }

    /// Where requests are answered.
    pub(in crate::command) fn url(&self) -> String {
        self.node.url().to_owned()
    }

    /// Where requests are answered over TLS, if anywhere.
    pub(in crate::command) fn tls_url(&self) -> Option<&str> {
        self.node.tls_url()
    }

    /// What each component asked for, where that is remembered.
    pub(in crate::command) fn asked(&self) -> Observed {
        self.node.asked()
    }

    /// Where the first token was written, if it was made at this start.
    pub(in crate::command) fn first_token(&self) -> Option<PathBuf> {
        self.node.first_token().map(Path::to_owned)
    }

    /// Where the operator looks.
    pub(in crate::command) fn admin_url(&self) -> String {
        self.node.admin_url().to_owned()
    }

    /// Accepts nothing more and finishes what runs.
    pub(in crate::command) async fn drain(self) -> Drained {
        self.node.drain().await
    }
}

/// The signals that end the process in order.
#[derive(Debug)]
pub(in crate::command) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// The signal that came.
#[derive(Debug, Clone, Copy)]
pub(in crate::command) enum Stop {
    Interrupt,
    Terminate,
}

impl Stop {
    /// What people call it.
    pub(in crate::command) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

impl Signals {
    /// Takes both signals over; until then they end the process at once.
    pub(in crate::command) fn install() -> Result<Self, Box<Failure>> {
        let take =
            |kind| signal(kind).map_err(|error| Failure::new(Exit::FAILED, "cannot handle signals").because(&error));
        Ok(Self { interrupt: take(SignalKind::interrupt())?, terminate: take(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(in crate::command) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::Interrupt,
            _ = self.terminate.recv() => Stop::Terminate,
        }
    }
}

/// Drains; a second signal ends it at once.
pub(in crate::command) async fn end(serving: Serving, stop: Stop, signals: &mut Signals, terminal: Terminal) -> Ended {
    terminal.note(&format!("{}: draining; once more ends it at once", stop.name()));
    tokio::select! {
        drained = serving.drain() => {
            terminal.done(&format!("drained: {} finished, {} cut", drained.finished, drained.cut));
            Ok(Exit::DONE)
        }
        second = signals.next() => {
            terminal.warning(&format!("{}: ended before everything was finished", second.name()));
            Ok(Exit::FAILED)
        }
    }
}

fn not_started(error: &StartError) -> Box<Failure> {
    let is_invalid =
        matches!(error, StartError::Tls(TlsStartError::Pair(_) | TlsStartError::Acme(AcmeStartError::Roots(_))));
    let exit = if is_invalid { Exit::INVALID } else { Exit::FAILED };
    let failure = Failure::new(exit, error.to_string());
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
        StartError::Unset(..) | StartError::Address(..) => failure.next("set the variable, or give a URL with --bind"),
        StartError::DataDir { .. } | StartError::Store(_) | StartError::Uploads { .. } | StartError::Logs(_) => {
            failure.next("choose a folder that can be written, and that nobody else can, with --data-dir")
        }
        StartError::Key(_) => failure.next(
            "put the node's key back as it was, of mode 0600; without it compiled files are made anew and secrets are lost",
        ),
        StartError::Engine(_) | StartError::Thread(_) => {
            failure.next("see how much memory and how many threads may be had here (ulimit -a)")
        }
        StartError::Tls(TlsStartError::Pair(_)) => {
            failure.next("put a certificate and its key where `[[tls.certificate]]` says")
        }
        StartError::Tls(TlsStartError::Acme(AcmeStartError::Folder(_))) => {
            failure.next("see that the data folder can be written and has space, or choose another with --data-dir")
        }
        StartError::Tls(TlsStartError::Acme(_)) => failure.next("correct `[tls.acme]`"),
        // What the registry's and the ledger's errors say ends with the next step.
        StartError::Link(_)
        | StartError::Ledger(_)
        | StartError::Registry(_)
        | StartError::FirstToken(_)
        | StartError::Tls(TlsStartError::Setup(_)) => failure,
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
    let failure = failure.because(&error.kind);
    let step = match &error.kind {
        LoadErrorKind::Source(_) => "see that the file is there and can be read",
        LoadErrorKind::Inspect(_) | LoadErrorKind::Map(_) => "build it again",
        LoadErrorKind::Compile(CompileFailure::Initialiser(_)) => {
            "mend the initialiser, or write `snapshot = false` in the component's table of the manifest"
        }
        LoadErrorKind::Compile(_) => "validate it with `cumulet check`, and build it again",
        LoadErrorKind::Store(_) | LoadErrorKind::Component(_) | LoadErrorKind::Ledger(_) => {
            "see that the data folder can be written and has space, or choose another with --data-dir"
        }
        LoadErrorKind::Compose(_) => "run `cumulet check`: it shows where the links do not fit",
        LoadErrorKind::Profile(_) => "correct the grant",
        LoadErrorKind::Program(_) => {
            "build it for `wasm32-wasip2`, or make a component of it with `cumulet componentize`"
        }
        LoadErrorKind::NotAHandler => "remove it from the manifest, or run it with `cumulet run`",
        LoadErrorKind::Prepare(_) => "run `cumulet check` to see what it imports and what is offered",
        LoadErrorKind::Unfetched | LoadErrorKind::Fetched(_) => "run `cumulet check`, which fetches it",
        LoadErrorKind::Routes(_) => "correct the routes",
        LoadErrorKind::Unbound(name) => return failure.next(format!("give it a backend with `--bind {name}=URL`")),
        LoadErrorKind::Value(ValueError::Secret { name }) => {
            return failure
                .next(format!("set it with `cumulet secret set {name}`, or in the variable {SECRET_VARIABLE}{name}"));
        }
        LoadErrorKind::Value(ValueError::Vault(_)) => "see the data folder, or choose another with --data-dir",
        LoadErrorKind::Roots(_) => "correct `roots` in `[app]`: each names a PEM file of certificates",
        LoadErrorKind::Value(_) => "correct where the value comes from",
        LoadErrorKind::Interrupted => "try again",
    };
    failure.next(step)
}
