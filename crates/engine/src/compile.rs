//! Components become machine code.

use crate::class::EngineClass;
use crate::config::slots_needed;
use crate::engines::{CompileEngines, Engines};
use thiserror::Error;
use wasmtime::component::Component;

/// A component as machine code, ready to be linked.
#[derive(Clone)]
pub struct Compiled {
    component: Component,
    class: EngineClass,
}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled").field("class", &self.class).finish_non_exhaustive()
    }
}

impl Compiled {
    pub(crate) fn new(component: Component, class: EngineClass) -> Self {
        Self { component, class }
    }

    /// The component, for the linker.
    #[must_use]
    pub fn component(&self) -> &Component {
        &self.component
    }

    /// The class of engine that it was compiled for.
    #[must_use]
    pub fn class(&self) -> EngineClass {
        self.class
    }

    /// How many of the pool's slots an instance takes, at least 1.
    #[must_use]
    pub fn slots(&self) -> u32 {
        slots_needed(&self.component)
    }
}

/// A component could not be compiled.
#[derive(Debug, Error)]
#[error("the component does not compile: {}", reason(source))]
pub struct CompileError {
    source: wasmtime::Error,
}

impl CompileError {
    /// Whether memory ran out rather than that something is wrong with the component.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        self.source.is::<wasmtime::OutOfMemory>()
            || self.source.chain().any(|cause| {
                cause
                    .downcast_ref::<std::io::Error>()
                    .is_some_and(|error| error.kind() == std::io::ErrorKind::OutOfMemory)
            })
    }
}

/// The whole chain in one line: the engine's outermost text alone seldom says what is wrong.
fn reason(error: &wasmtime::Error) -> String {
    format!("{error:#}")
}

/// Compiles a component for a class of engine and returns the bytes of the compiled file.
///
/// Takes from milliseconds to seconds and all cores: call it where blocking is allowed.
///
/// # Errors
/// When the bytes are no valid component, or need what the class does not offer; when there can be no engine.
pub fn compile(engines: &Engines, class: EngineClass, component: &[u8]) -> Result<Vec<u8>, CompileError> {
    let engine = engines.get(class).map_err(|error| CompileError { source: error.into() })?;
    engine.precompile_component(component).map_err(|source| CompileError { source })
}

/// As [`compile`], with engines that do nothing else, on the calling thread alone.
///
/// # Errors
/// As [`compile`].
pub fn compile_apart(engines: &CompileEngines, class: EngineClass, component: &[u8]) -> Result<Vec<u8>, CompileError> {
    engines.get(class).precompile_component(component).map_err(|source| CompileError { source })
}
