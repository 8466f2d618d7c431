//! The engines and their settings. Every setting that bears on safety stands here.

use crate::class::EngineClass;
use crate::pool::{PoolSettings, PoolUsage};
use parking_lot::Mutex;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};
use thiserror::Error;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, ModuleVersionStrategy, PoolingAllocationConfig};

/// The engine's release. Part of the key of every compiled file, because the format checks the major version alone:
/// without it a patch release would keep running old code.
const WASMTIME_VERSION: &str = "48.0.8";

/// How snapshots are made. Another number, and everything is compiled anew: a compiled file does not say whether an
/// initialiser was run for it.
const SNAPSHOT_FORMAT: u32 = 1;

/// Stack that a guest may use, in bytes.
const WASM_STACK_BYTES: usize = 512 << 10;
/// Stack of a guest together with the host functions that it calls, in bytes.
const STACK_BYTES: usize = 1 << 20;
/// Address space of one memory slot: 4 GiB spares every access its bounds check.
pub(crate) const MEMORY_SLOT_BYTES: usize = 4 << 30;
/// Elements that a table in the pool can hold.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Bytes of tables that stay resident between two instances in the same slot.
const TABLE_RESIDENT_BYTES: usize = 64 << 10;
/// See [`TABLE_RESIDENT_BYTES`].
const STACK_RESIDENT_BYTES: usize = 64 << 10;
/// Images up to this size are mapped copy-on-write even when they are sparse, in bytes.
pub(crate) const DENSE_IMAGE_BYTES: u64 = 64 << 20;
/// Core instances, tables and memories that a component may have for each slot that it is admitted to.
const CORE_INSTANCES_PER_SLOT: u32 = 8;
const TABLES_PER_SLOT: u32 = 4;
pub(crate) const MEMORIES_PER_SLOT: u32 = 2;
/// Stacks that an instance of class `plain` may need at once: it does one thing at a time.
pub(crate) const PLAIN_STACKS_PER_SLOT: u32 = 1;
/// Stacks that an instance of class `async` may need at once.
pub(crate) const ASYNC_STACKS_PER_SLOT: u32 = 2;

/// An engine could not be set up.
#[derive(Debug, Error)]
#[error("cannot set up the {} engine", class.label())]
pub struct EngineError {
    class: EngineClass,
    source: wasmtime::Error,
}

/// One engine for each class, made when it is first asked for: whoever serves one class alone does not wait for the
/// pools of the others.
#[derive(Clone)]
pub struct Engines {
    shared: Arc<Shared>,
    settings: PoolSettings,
}

/// What the copies of [`Engines`] have in common.
#[derive(Default)]
struct Shared {
    plain: OnceLock<Engine>,
    concurrent: OnceLock<Engine>,
    large: OnceLock<Engine>,
    /// Held by whoever makes one.
    making: Mutex<()>,
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engines").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Engines {
    /// Engines with pools of this size.
    #[must_use]
    pub fn new(settings: PoolSettings) -> Self {
        Self { shared: Arc::default(), settings }
    }

    /// The engine of a class. The first call reserves address space for its pool, and no memory; it takes milliseconds
    /// where the pool is large, because each stack gets its guard page.
    ///
    /// # Errors
    /// When the machine refuses the address space or lacks a feature of the processor.
    pub fn get(&self, class: EngineClass) -> Result<&Engine, EngineError> {
        let place = self.shared.place(class);
        if let Some(engine) = place.get() {
            return Ok(engine);
        }
        let _one_at_a_time = self.shared.making.lock();
        if let Some(engine) = place.get() {
            return Ok(engine);
        }
        let engine = build(class, Purpose::Serve(self.settings))?;
        Ok(place.get_or_init(|| engine))
    }

    /// The engines that were asked for so far. Takes no lock.
    pub fn made(&self) -> impl Iterator<Item = &Engine> {
        EngineClass::ALL.into_iter().filter_map(|class| self.shared.place(class).get())
    }

    /// The settings of the pools.
    #[must_use]
    pub fn settings(&self) -> PoolSettings {
        self.settings
    }

    /// What the pools hold at this moment, summed over the classes that have one. Takes a few locks.
    #[must_use]
    pub fn pool_usage(&self) -> PoolUsage {
        PoolUsage::of(self.made())
    }
}

impl Shared {
    fn place(&self, class: EngineClass) -> &OnceLock<Engine> {
        match class {
            EngineClass::Plain => &self.plain,
            EngineClass::Async => &self.concurrent,
            EngineClass::Large => &self.large,
        }
    }
}

/// Engines that compile and never run: what they make is what [`Engines`] of the same build load, and they reserve no
/// address space.
///
/// They compile on the threads of the pool in which they are called: whoever serves decides how many these are.
pub struct CompileEngines {
    plain: Engine,
    concurrent: Engine,
    large: Engine,
}

impl std::fmt::Debug for CompileEngines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CompileEngines").finish_non_exhaustive()
    }
}

impl CompileEngines {
    /// Sets up all engines.
    ///
    /// # Errors
    /// When the machine lacks a feature of the processor.
    pub fn new() -> Result<Self, EngineError> {
        let build = |class| build(class, Purpose::Compile);
        Ok(Self {
            plain: build(EngineClass::Plain)?,
            concurrent: build(EngineClass::Async)?,
            large: build(EngineClass::Large)?,
        })
    }

    pub(crate) fn get(&self, class: EngineClass) -> &Engine {
        match class {
            EngineClass::Plain => &self.plain,
            EngineClass::Async => &self.concurrent,
            EngineClass::Large => &self.large,
        }
    }

    /// What it compiles depends on. It is the same in every process of the same build on the same processor.
    #[must_use]
    pub fn fingerprints(&self) -> Fingerprints {
        Fingerprints {
            plain: fingerprint(&self.plain, EngineClass::Plain),
            concurrent: fingerprint(&self.concurrent, EngineClass::Async),
            large: fingerprint(&self.large, EngineClass::Large),
        }
    }
}

/// What a compiled file depends on besides its component, for each class: 16 hexadecimal characters that change with
/// the engine's release and with every setting that shapes the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    plain: String,
    concurrent: String,
    large: String,
}

impl Fingerprints {
    /// Those of [`Engines`] and [`CompileEngines`] in this process. Makes no pool.
    ///
    /// # Errors
    /// When the machine lacks a feature of the processor.
    pub fn of_this_build() -> Result<Self, EngineError> {
        Ok(CompileEngines::new()?.fingerprints())
    }

    /// That of a class.
    #[must_use]
    pub fn get(&self, class: EngineClass) -> &str {
        match class {
            EngineClass::Plain => &self.plain,
            EngineClass::Async => &self.concurrent,
            EngineClass::Large => &self.large,
        }
    }
}

/// What an engine is for.
#[derive(Clone, Copy)]
enum Purpose {
    /// To run guests, from pools of this size.
    Serve(PoolSettings),
    /// To compile for an engine that serves.
    Compile,
    /// To run an initialiser once.
    Initialise,
}

/// An engine that runs initialisers: of every feature, counted in steps, the same on every machine. It needs no
/// descriptor and no further thread.
pub(crate) fn initialising() -> Result<Engine, EngineError> {
    build(EngineClass::Large, Purpose::Initialise)
}

fn build(class: EngineClass, purpose: Purpose) -> Result<Engine, EngineError> {
    Engine::new(&config(class, purpose)).map_err(|source| EngineError { class, source })
}

fn fingerprint(engine: &Engine, class: EngineClass) -> String {
    let mut hasher = StableHasher::default();
    WASMTIME_VERSION.hash(&mut hasher);
    SNAPSHOT_FORMAT.hash(&mut hasher);
    class.label().hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// FNV-1a, because the standard library's hasher may change from one release to the next.
struct StableHasher(u64);

impl Default for StableHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for StableHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

fn config(class: EngineClass, purpose: Purpose) -> Config {
    let mut config = Config::new();
    config
        .module_version(ModuleVersionStrategy::Custom(format!("cumulet {WASMTIME_VERSION}")))
        // The text is shorter than the 255 bytes that the engine allows.
        .expect("the version is short");
    config
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(STACK_BYTES)
        // Registering unwind tables makes loading thousands of components quadratic.
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16))
        .memory_init_cow(true)
        .memory_guaranteed_dense_image_size(DENSE_IMAGE_BYTES)
        .wasm_component_model(true);
    match class {
        EngineClass::Plain => {
            config.concurrency_support(false);
        }
        EngineClass::Async | EngineClass::Large => {
            config.wasm_component_model_async(true);
        }
    }
    match class {
        EngineClass::Plain | EngineClass::Async => {
            // Part of what the code assumes, with a pool or without.
            config.memory_reservation(MEMORY_SLOT_BYTES as u64);
        }
        EngineClass::Large => {
            config
                .wasm_memory64(true)
                .wasm_multi_memory(true)
                .wasm_tail_call(true)
                .wasm_function_references(true)
                .wasm_gc(true)
                .wasm_exceptions(true)
                .wasm_relaxed_simd(true);
        }
    }
    match purpose {
        Purpose::Serve(settings) if class != EngineClass::Large => {
            config.allocation_strategy(pool(settings, class));
        }
        Purpose::Serve(_) | Purpose::Compile => {}
        Purpose::Initialise => {
            config
                .consume_fuel(true)
                .epoch_interruption(false)
                // Its images would be files in memory, and the process that runs it may open none.
                .memory_init_cow(false)
                .cranelift_nan_canonicalization(true)
                .relaxed_simd_deterministic(true);
        }
    }
    config
}

fn pool(settings: PoolSettings, class: EngineClass) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::default();
    let slots = settings.slots;
    let stacks_per_slot = if class == EngineClass::Plain { PLAIN_STACKS_PER_SLOT } else { ASYNC_STACKS_PER_SLOT };
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES_PER_SLOT))
        .total_tables(slots.saturating_mul(TABLES_PER_SLOT))
        .total_memories(slots.saturating_mul(MEMORIES_PER_SLOT))
        // Each lies in a memory of the pool, as far as a guest uses garbage collection.
        .total_gc_heaps(slots)
        .total_stacks(slots.saturating_mul(stacks_per_slot))
        .max_core_instances_per_component(CORE_INSTANCES_PER_SLOT * 4)
        .max_tables_per_component(TABLES_PER_SLOT * 4)
        .max_memories_per_component(MEMORIES_PER_SLOT * 4)
        .max_tables_per_module(TABLES_PER_SLOT * 4)
        .max_memories_per_module(MEMORIES_PER_SLOT * 4)
        .max_memory_size(MEMORY_SLOT_BYTES)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(settings.resident_bytes)
        .table_keep_resident(TABLE_RESIDENT_BYTES)
        .async_stack_keep_resident(STACK_RESIDENT_BYTES)
        .pagemap_scan(if settings.pagemap_scan { Enabled::Auto } else { Enabled::No });
    InstanceAllocationStrategy::Pooling(pool)
}

/// The weight of a component in slots: what it takes of the scarcest part of the pool.
pub(crate) fn slots_needed(component: &wasmtime::component::Component) -> u32 {
    let Some(required) = component.resources_required() else { return 1 };
    let memories = required.num_memories.div_ceil(MEMORIES_PER_SLOT);
    let tables = required.num_tables.div_ceil(TABLES_PER_SLOT);
    memories.max(tables).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_built_in() {
        let lock = include_str!("../../../Cargo.lock");
        let package = format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"");
        assert!(lock.contains(&package), "WASMTIME_VERSION must follow Cargo.lock");
    }

    const FEW: PoolSettings = PoolSettings { slots: 4, pagemap_scan: false, resident_bytes: 128 << 10 };

    #[test]
    fn engines_that_compile_make_code_for_those_that_serve() {
        let serving = Engines::new(FEW);
        let compiling = CompileEngines::new().unwrap();
        let prints = Fingerprints::of_this_build().unwrap();
        assert_eq!(compiling.fingerprints(), prints);
        let component = b"(component (core module $m (memory 1) (table 1 funcref)) (core instance (instantiate $m)))";
        for class in EngineClass::ALL {
            let code = crate::compile::compile_apart(&compiling, class, component).unwrap();
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), code).unwrap();
            assert_eq!(crate::mapped::load(&serving, class, file.path()).unwrap().class(), class);
            assert_eq!(fingerprint(serving.get(class).unwrap(), class), prints.get(class));
        }
    }

    #[test]
    fn an_engine_is_made_once_and_when_it_is_asked_for() {
        let engines = Engines::new(FEW);
        let copy = engines.clone();
        assert_eq!(engines.made().count(), 0);
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| copy.get(EngineClass::Async).unwrap());
            }
        });
        assert_eq!(engines.made().count(), 1);
        let (one, other) = (engines.get(EngineClass::Async).unwrap(), copy.get(EngineClass::Async).unwrap());
        assert!(wasmtime::Engine::same(one, other));
    }

    #[test]
    fn a_pool_that_does_not_fit_is_an_error_of_its_class() {
        let engines = Engines::new(PoolSettings { slots: 1 << 20, ..FEW });
        assert!(engines.get(EngineClass::Plain).is_err());
        assert!(engines.get(EngineClass::Large).is_ok());
    }

    #[test]
    fn classes_never_share_compiled_files() {
        let Fingerprints { plain, concurrent, large } = Fingerprints::of_this_build().unwrap();
        assert!(plain != concurrent && concurrent != large && large != plain);
    }
}
