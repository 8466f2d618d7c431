//! One-shot commands: components of WASI 0.2 and 0.3, and core modules of preview 1.
//!
//! A command runs once, on behalf of the person who started it, with the standard streams of this process. What it may
//! reach besides them stands in its [`CommandSetup`]; everything else is denied with the interface's own error.

mod data;
mod link;
pub(crate) mod names;
mod network;

use crate::command::data::CommandData;
use cumulet_engine::{Ending, EngineClass, EngineError, Engines, Gauge, Measured, classify, new_store};
use cumulet_spec::grant::{FileGrant, HttpGrant};
use std::sync::Arc;
use thiserror::Error;
use wasmtime::component::{Component, InstancePre as ComponentPre};
use wasmtime::{Engine, InstancePre as ModulePre, Module, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings as p2;
use wasmtime_wasi::p3::bindings as p3;

pub use crate::command::network::{LookupError, NetworkPolicy, NetworkRule, RuleError};

/// Bytes that a command may hand to the host in one call. Larger than a served guest's, because the machine it runs on
/// is its user's own.
const HOSTCALL_BYTES_MAX: usize = 128 << 20;

/// What a command is given. The default is nothing at all.
#[derive(Debug, Default)]
pub struct CommandSetup {
    /// The arguments, the program's name first.
    pub args: Vec<String>,
    /// The environment variables.
    pub env: Vec<(String, String)>,
    /// The folders that it finds opened.
    pub folders: Vec<FileGrant>,
    /// The addresses that it may reach.
    pub network: NetworkPolicy,
    /// The origins that it may send HTTP requests to.
    pub http: Vec<HttpGrant>,
    /// What `wasi:config` answers.
    pub config: Vec<(String, String)>,
    /// Bytes that all memories and tables may take together; none for as many as there are.
    pub memory_bytes_max: Option<u64>,
    /// Nanoseconds of processor time; none for as many as it takes.
    pub cpu_nanos_max: Option<u64>,
}

/// How a command came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandEnd {
    /// It returned or exited; its code in the 8 bits that a process can pass on.
    Exited(u8),
    /// It was ended: a trap, or a limit.
    Ended(Ending),
}

/// A file that cannot be run as a command.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The bytes do not compile.
    #[error("this is not a valid WebAssembly {what}")]
    Invalid {
        /// `module` or `component`.
        what: &'static str,
        /// What the compiler says.
        source: wasmtime::Error,
    },
    /// There can be no engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A component that answers requests.
    #[error("this component exports `{export}`: it answers HTTP requests and is no command")]
    Service {
        /// The interface that it exports.
        export: String,
    },
    /// A component without an entry that we know.
    #[error("this component does not export `wasi:cli/run`: it is no command")]
    NoEntry,
    /// A module without `_start`.
    #[error("this module does not export `_start`: it is a library, no command")]
    Reactor,
    /// An import that no grant could satisfy.
    #[error("it imports what this node does not offer to commands")]
    Import {
        /// Which import.
        source: wasmtime::Error,
    },
    /// The engine could not be prepared: our own fault.
    #[error("cannot prepare the host functions")]
    Host {
        /// What the engine says.
        source: wasmtime::Error,
    },
}

impl CommandError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "build it again, or check the file with `cumulet check FILE`",
            Self::Service { .. } => "serve it with `cumulet up FILE`",
            Self::NoEntry => {
                "build it as a command: a program with `main`, for `wasm32-wasip2` or with `wasi:cli/run@0.3`"
            }
            Self::Reactor => "build it as a command, with a `main` function",
            Self::Import { .. } => "see what it imports with `cumulet check FILE`",
            Self::Engine(_) => "see what this machine lacks with `cumulet doctor`",
            Self::Host { .. } => "this is an error of ours: please report it",
        }
    }

    /// Whether the file is at fault, and not this host.
    #[must_use]
    pub fn is_guest_fault(&self) -> bool {
        !matches!(self, Self::Engine(_) | Self::Host { .. })
    }
}

/// A folder that cannot be given to a command.
#[derive(Debug, Error)]
#[error("cannot open the folder `{folder}`")]
pub struct FolderError {
    folder: String,
    source: wasmtime::Error,
}

enum Program {
    Preview1(ModulePre<CommandData>),
    Wasi02(ComponentPre<CommandData>),
    Wasi03(ComponentPre<CommandData>),
}

/// A command, compiled and linked.
pub struct Command {
    engine: Engine,
    program: Program,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let world = match self.program {
            Program::Preview1(_) => "preview 1",
            Program::Wasi02(_) => "WASI 0.2",
            Program::Wasi03(_) => "WASI 0.3",
        };
        f.debug_struct("Command").field("world", &world).finish_non_exhaustive()
    }
}

impl Command {
    /// Compiles a module or component given in the binary format, and links it.
    ///
    /// Blocks for as long as the compiler takes.
    ///
    /// # Errors
    /// When it is invalid, is no command, or imports what commands are not offered.
    pub fn compile(engines: &Engines, bytes: &[u8]) -> Result<Self, CommandError> {
        let engine = engines.get(EngineClass::Large)?;
        let program =
            if is_component(bytes) { component_program(engine, bytes)? } else { module_program(engine, bytes)? };
        Ok(Self { engine: engine.clone(), program })
    }

    /// Runs the command to its end, with the standard streams of this process.
    ///
    /// Writing to a standard stream blocks the thread that polls: give this future a thread of its own.
    ///
    /// # Errors
    /// When a folder cannot be opened; nothing has run then.
    ///
    /// # Cancel safety
    /// Dropping the future ends the guest; nothing is left behind but what the guest already wrote.
    pub async fn run(&self, setup: CommandSetup) -> Result<CommandEnd, FolderError> {
        let gauge =
            Arc::new(Gauge::new(setup.cpu_nanos_max.unwrap_or(u64::MAX), setup.memory_bytes_max.unwrap_or(u64::MAX)));
        let data = CommandData::new(setup, Arc::clone(&gauge))?;
        let mut store = new_store(&self.engine, data);
        store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
        let ended = Measured::new(&gauge, self.call(&mut store)).await;
        Ok(match ended {
            Ok(code) => CommandEnd::Exited(code),
            Err(error) => match error.downcast_ref::<I32Exit>() {
                Some(exit) => CommandEnd::Exited(exit.0.to_le_bytes()[0]),
                None => CommandEnd::Ended(classify(&error, &gauge)),
            },
        })
    }

    async fn call(&self, store: &mut Store<CommandData>) -> wasmtime::Result<u8> {
        let result = match &self.program {
            Program::Preview1(module) => {
                let instance = module.instantiate_async(&mut *store).await?;
                let start = instance.get_typed_func::<(), ()>(&mut *store, link::START)?;
                start.call_async(store, ()).await?;
                Ok(())
            }
            Program::Wasi02(component) => {
                let instance = component.instantiate_async(&mut *store).await?;
                let command = p2::Command::new(&mut *store, &instance)?;
                command.wasi_cli_run().call_run(store).await?
            }
            Program::Wasi03(component) => {
                let instance = component.instantiate_async(&mut *store).await?;
                let command = p3::Command::new(&mut *store, &instance)?;
                store.run_concurrent(async |accessor| command.wasi_cli_run().call_run(accessor).await).await??
            }
        };
        Ok(u8::from(result.is_err()))
    }
}

/// The binary format's fifth and sixth bytes are the version, its seventh and eighth the layer: 1 for components.
fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") && bytes.get(6) == Some(&1)
}

fn module_program(engine: &Engine, bytes: &[u8]) -> Result<Program, CommandError> {
    let module =
        Module::from_binary(engine, bytes).map_err(|source| CommandError::Invalid { what: "module", source })?;
    if module.get_export(link::START).is_none() {
        return Err(CommandError::Reactor);
    }
    let linker = link::preview1(engine).map_err(|source| CommandError::Host { source })?;
    let module = linker.instantiate_pre(&module).map_err(|source| CommandError::Import { source })?;
    Ok(Program::Preview1(module))
}

fn component_program(engine: &Engine, bytes: &[u8]) -> Result<Program, CommandError> {
    let component =
        Component::from_binary(engine, bytes).map_err(|source| CommandError::Invalid { what: "component", source })?;
    let entry = entry(engine, &component)?;
    let linker = link::components(engine).map_err(|source| CommandError::Host { source })?;
    let component = linker.instantiate_pre(&component).map_err(|source| CommandError::Import { source })?;
    Ok(match entry {
        Entry::Wasi02 => Program::Wasi02(component),
        Entry::Wasi03 => Program::Wasi03(component),
    })
}

enum Entry {
    Wasi02,
    Wasi03,
}

/// Which version's `run` a component exports; the newer one if it has both.
fn entry(engine: &Engine, component: &Component) -> Result<Entry, CommandError> {
    let exports: Vec<String> = component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect();
    let exports_any = |prefix: &str| exports.iter().find(|name| name.starts_with(prefix));
    if exports_any("wasi:cli/run@0.3.").is_some() {
        return Ok(Entry::Wasi03);
    }
    if exports_any("wasi:cli/run@0.2.").is_some() {
        return Ok(Entry::Wasi02);
    }
    match exports_any("wasi:http/incoming-handler@").or_else(|| exports_any("wasi:http/handler@")) {
        Some(export) => Err(CommandError::Service { export: export.clone() }),
        None => Err(CommandError::NoEntry),
    }
}
