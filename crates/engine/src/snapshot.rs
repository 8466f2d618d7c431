//! A component that exports an initialiser is run through it once, and goes on from what its memory holds then.
//!
//! The initialiser runs with nothing: every import traps, so that nothing random, no time and no environment can become
//! part of what each instance starts from. It is counted in steps and not in time, and computes the same on every
//! machine: the same bytes give the same snapshot, or fail in the same way.

mod shape;
mod state;

use crate::config::{DENSE_IMAGE_BYTES, EngineError, initialising};
use crate::gauge::{Breach, Gauge};
use crate::inspect::to_binary;
use crate::limiter::MemoryLimiter;
use cumulet_spec::quantity::Bytes;
use state::State;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use thiserror::Error;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Instance, Linker, LinkerInstance, ResourceType};
use wasmtime::{Engine, Error, Store, Trap};
use wasmtime_wizer::{ComponentContext, Wizer};

/// The export that is run: a function without parameters and result. The name is that of the tool that made it common.
pub const INITIALISER: &str = "wizer-initialize";

/// Steps that an initialiser may take, about one for each instruction: seconds of a core.
const STEPS_MAX: u64 = 2_000_000_000;
/// Steps for reading what it left behind.
const STEPS_READING: u64 = 1_000_000;
/// Memory that it may fill: what is larger would not stay copy-on-write.
const MEMORY_BYTES_MAX: u64 = DENSE_IMAGE_BYTES;
/// Bytes that a component may gain by its snapshot: its memory, and what is said about each piece of it.
const GAIN_BYTES_MAX: usize = 80 << 20;
/// A page more of each memory, into which the size of the others is written for the reader.
const READING_BYTES: u64 = 16 << 20;

/// What became of a component that exports an initialiser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Snapshot {
    /// The component as its initialiser left it. It still exports it, and nobody calls it.
    Taken(Vec<u8>),
    /// Its state cannot be told from outside, for this reason: it runs as it is, and its initialiser is never called.
    Unfit(String),
}

/// A component could not be initialised: its own fault, but for [`SnapshotError::Engine`].
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The export is something else.
    #[error("its export `{INITIALISER}` is no function without parameters and result")]
    Type,
    /// It wanted something of the world.
    #[error(
        "its initialiser calls `{0}`, and no import is there while a snapshot is taken: what it gave would be the same in every instance"
    )]
    Import(String),
    /// It wanted to print.
    #[error(
        "its initialiser calls `{0}`, to print something or because it panics, and no import is there while a snapshot is taken"
    )]
    Output(String),
    /// It does not end, or not soon enough.
    #[error("its initialiser has not ended after {} billion steps", STEPS_MAX / 1_000_000_000)]
    Endless,
    /// It asked for more memory than there is, and then broke.
    #[error("its initialiser needs more than {} of memory", Bytes(MEMORY_BYTES_MAX))]
    Memory,
    /// It broke.
    #[error("its initialiser trapped: {0}")]
    Trap(String),
    /// What it left behind is too much.
    #[error("it grows by more than {} with its snapshot", Bytes(GAIN_BYTES_MAX as u64))]
    Size,
    /// The machine cannot run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// What an import answers while a snapshot is taken.
#[derive(Debug, Error)]
#[error("`{0}` is not there while a snapshot is taken")]
struct Untouchable(String);

/// Why no snapshot can be taken of a component, if that shows without running it. Takes about as long as validating it.
#[must_use]
pub fn unfit(component: &[u8]) -> Option<String> {
    let binary = to_binary(component).ok()?;
    instrument(&binary).err()
}

/// Runs a component through its initialiser and returns it as it is then.
///
/// Takes up to seconds of a core and some hundred megabytes: call it where a guest may fail.
///
/// # Errors
/// When the initialiser breaks, does not end, or wants what is not there.
pub fn snapshot(component: &[u8]) -> Result<Snapshot, SnapshotError> {
    // What is no component is for the compiler to say.
    let Ok(binary) = to_binary(component) else { return Ok(Snapshot::Unfit("it is not WebAssembly".to_owned())) };
    let (context, instrumented) = match instrument(&binary) {
        Ok(instrumented) => instrumented,
        Err(reason) => return Ok(Snapshot::Unfit(reason)),
    };
    let engine = initialising()?;
    let runnable = match Component::new(&engine, &instrumented) {
        Ok(component) => component,
        Err(error) => return Ok(Snapshot::Unfit(format!("{error:#}"))),
    };
    let mut store = store(&engine);
    let instance = initialise(&engine, &mut store, &runnable)?;
    let mut state = State::new(store, instance);
    let taken = now(wizer().snapshot_component(&context, &mut state));
    if let Some(reason) = state.failure() {
        return Ok(Snapshot::Unfit(reason));
    }
    match taken {
        Some(Ok(bytes)) if bytes.len().saturating_sub(binary.len()) > GAIN_BYTES_MAX => Err(SnapshotError::Size),
        Some(Ok(bytes)) => Ok(Snapshot::Taken(bytes)),
        Some(Err(error)) => Ok(Snapshot::Unfit(format!("{error:#}"))),
        None => Ok(Snapshot::Unfit("its memory cannot be read".to_owned())),
    }
}

/// The tool. It would remove every export of the initialiser's name, those within the component as well, which its own
/// parts still name.
fn wizer() -> Wizer {
    let mut wizer = Wizer::new();
    wizer.init_func(INITIALISER).keep_init_func(true);
    wizer
}

fn instrument(binary: &[u8]) -> Result<(ComponentContext<'_>, Vec<u8>), String> {
    shape::check(binary)?;
    wizer().instrument_component(binary).map_err(|error| format!("{error:#}"))
}

fn store(engine: &Engine) -> Store<MemoryLimiter> {
    let limiter = MemoryLimiter::new(Arc::new(Gauge::new(u64::MAX, MEMORY_BYTES_MAX)));
    let mut store = Store::new(engine, limiter);
    store.limiter(|limiter| limiter);
    store
}

/// Instantiates and calls the initialiser, then makes room for reading.
fn initialise(
    engine: &Engine,
    store: &mut Store<MemoryLimiter>,
    component: &Component,
) -> Result<Instance, SnapshotError> {
    let export = component.get_export(None, INITIALISER);
    let Some((ComponentItem::ComponentFunc(function), index)) = export else { return Err(SnapshotError::Type) };
    if function.params().len() + function.results().len() > 0 {
        return Err(SnapshotError::Type);
    }
    let ended = |store: &Store<MemoryLimiter>, error: &Error| ending(store.data().gauge(), error);
    let trapped = |error: Error| SnapshotError::Trap(format!("{error:#}"));
    let linker = untouchable(engine, component).map_err(trapped)?;
    store.set_fuel(STEPS_MAX).map_err(trapped)?;
    let instance = match now(linker.instantiate_async(&mut *store, component)) {
        Some(Ok(instance)) => instance,
        Some(Err(error)) => return Err(ended(store, &error)),
        None => return Err(SnapshotError::Endless),
    };
    let function = instance.get_func(&mut *store, index).ok_or(SnapshotError::Type)?;
    match now(function.call_async(&mut *store, &[], &mut [])) {
        Some(Ok(())) => {}
        Some(Err(error)) => return Err(ended(store, &error)),
        None => return Err(SnapshotError::Endless),
    }
    store.set_fuel(STEPS_READING).map_err(trapped)?;
    store.data_mut().welcome(Arc::new(Gauge::new(u64::MAX, MEMORY_BYTES_MAX + READING_BYTES)));
    Ok(instance)
}

/// A linker in which every import is there and traps when it is called.
fn untouchable(engine: &Engine, component: &Component) -> wasmtime::Result<Linker<MemoryLimiter>> {
    let mut linker = Linker::new(engine);
    for (name, import) in component.component_type().imports(engine) {
        match &import.ty {
            ComponentItem::ComponentInstance(instance) => {
                let mut inner = linker.instance(name)?;
                for (item, export) in instance.exports(engine) {
                    stub(&mut inner, (item, format!("{name}#{item}")), &export.ty)?;
                }
            }
            item => stub(&mut linker.root(), (name, name.to_owned()), item)?,
        }
    }
    Ok(linker)
}

fn stub(
    linker: &mut LinkerInstance<'_, MemoryLimiter>,
    (name, full): (&str, String),
    item: &ComponentItem,
) -> wasmtime::Result<()> {
    match item {
        ComponentItem::ComponentFunc(function) if function.async_() => {
            linker.func_new_concurrent(name, move |_store, _type, _params, _results| {
                let refused = Untouchable(full.clone());
                Box::pin(async move { Err(refused.into()) })
            })
        }
        ComponentItem::ComponentFunc(_) => {
            linker.func_new(name, move |_store, _type, _params, _results| Err(Untouchable(full.clone()).into()))
        }
        ComponentItem::Resource(_) => {
            linker.resource(name, ResourceType::host::<Untouchable>(), |_store, _handle| Ok(()))
        }
        // Types are only names; anything else is refused when it is instantiated.
        _ => Ok(()),
    }
}

fn ending(gauge: &Gauge, error: &Error) -> SnapshotError {
    if let Some(Untouchable(import)) = error.downcast_ref::<Untouchable>() {
        let is_output = import.starts_with("wasi:cli/stdout") || import.starts_with("wasi:cli/stderr");
        return if is_output { SnapshotError::Output(import.clone()) } else { SnapshotError::Import(import.clone()) };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => SnapshotError::Endless,
        _ if gauge.breach() == Some(Breach::Memory) => SnapshotError::Memory,
        Some(trap) => SnapshotError::Trap(trap.to_string()),
        None => SnapshotError::Trap(error.root_cause().to_string()),
    }
}

/// What a future comes to that has nothing to wait for; `None` when it waits all the same.
fn now<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests;
