//! The engines and their settings. Every setting that bears on safety stands here.

use crate::class::EngineClass;
use std::hash::{Hash, Hasher};
use thiserror::Error;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, ModuleVersionStrategy, PoolingAllocationConfig};

/// The engine's release. Part of the key of every compiled file, because the format checks the major version alone:
/// without it a patch release would keep running old code.
const WASMTIME_VERSION: &str = "48.0.8";

/// Stack that a guest may use, in bytes.
const WASM_STACK_BYTES: usize = 512 << 10;
/// Stack of a guest together with the host functions that it calls, in bytes.
const STACK_BYTES: usize = 1 << 20;
/// Address space of one memory slot: 4 GiB spares every access its bounds check.
const MEMORY_SLOT_BYTES: usize = 4 << 30;
/// Elements that a table in the pool can hold.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Bytes of a memory that stay resident between two instances in the same slot.
const MEMORY_RESIDENT_BYTES: usize = 2 << 20;
/// The same for tables and for stacks.
const TABLE_RESIDENT_BYTES: usize = 64 << 10;
/// See [`TABLE_RESIDENT_BYTES`].
const STACK_RESIDENT_BYTES: usize = 64 << 10;
/// Images up to this size are mapped copy-on-write even when they are sparse, in bytes.
const DENSE_IMAGE_BYTES: u64 = 64 << 20;
/// Core instances, tables and memories that a component may have for each slot that it is admitted to.
const CORE_INSTANCES_PER_SLOT: u32 = 8;
const TABLES_PER_SLOT: u32 = 4;
const MEMORIES_PER_SLOT: u32 = 2;

/// How large the pool of an engine is.
#[derive(Clone, Copy, Debug)]
pub struct PoolSettings {
    /// Instances that can exist at once. Each takes 8 GiB of address space, and memory only as it is used.
    pub slots: u32,
    /// Reset slots by asking the kernel which pages were written. See [`pagemap_scan_is_safe`].
    pub pagemap_scan: bool,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { slots: 1_024, pagemap_scan: pagemap_scan_is_safe() }
    }
}

/// Whether no page of this process can be swapped out, which this release of the engine needs to reset slots by
/// asking the kernel which pages were written: it overlooks dirty pages that are in swap.
#[must_use]
pub fn pagemap_scan_is_safe() -> bool {
    if !cfg!(target_os = "linux") {
        return false;
    }
    // The first line is a heading; each further line is a swap area.
    std::fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() <= 1)
}

/// An engine could not be set up.
#[derive(Debug, Error)]
#[error("cannot set up the {} engine", class.label())]
pub struct EngineError {
    class: EngineClass,
    source: wasmtime::Error,
}

/// One engine for each class.
#[derive(Clone)]
pub struct Engines {
    plain: Engine,
    concurrent: Engine,
    large: Engine,
    settings: PoolSettings,
}

impl std::fmt::Debug for Engines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engines").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Engines {
    /// Sets up all engines. Address space is reserved here; memory is not.
    ///
    /// # Errors
    /// When the machine refuses the address space or lacks a feature of the processor.
    pub fn new(settings: PoolSettings) -> Result<Self, EngineError> {
        let build = |class| Engine::new(&config(class, settings)).map_err(|source| EngineError { class, source });
        Ok(Self {
            plain: build(EngineClass::Plain)?,
            concurrent: build(EngineClass::Async)?,
            large: build(EngineClass::Large)?,
            settings,
        })
    }

    /// The engine of a class.
    #[must_use]
    pub fn get(&self, class: EngineClass) -> &Engine {
        match class {
            EngineClass::Plain => &self.plain,
            EngineClass::Async => &self.concurrent,
            EngineClass::Large => &self.large,
        }
    }

    /// Every engine: they share one ticker.
    #[must_use]
    pub fn all(&self) -> Vec<Engine> {
        EngineClass::ALL.into_iter().map(|class| self.get(class).clone()).collect()
    }

    /// The settings of the pools.
    #[must_use]
    pub fn settings(&self) -> PoolSettings {
        self.settings
    }

    /// What a compiled file of this class depends on besides its component: 16 hexadecimal characters that change
    /// with the engine's release and with every setting that shapes the code.
    #[must_use]
    pub fn fingerprint(&self, class: EngineClass) -> String {
        let mut hasher = StableHasher::default();
        WASMTIME_VERSION.hash(&mut hasher);
        class.label().hash(&mut hasher);
        self.get(class).precompile_compatibility_hash().hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
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

fn config(class: EngineClass, settings: PoolSettings) -> Config {
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
        .parallel_compilation(true)
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
            config.memory_reservation(MEMORY_SLOT_BYTES as u64).allocation_strategy(pool(settings));
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
    config
}

fn pool(settings: PoolSettings) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::default();
    let slots = settings.slots;
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES_PER_SLOT))
        .total_tables(slots.saturating_mul(TABLES_PER_SLOT))
        .total_memories(slots.saturating_mul(MEMORIES_PER_SLOT))
        .total_stacks(slots.saturating_mul(2))
        .max_core_instances_per_component(CORE_INSTANCES_PER_SLOT * 4)
        .max_tables_per_component(TABLES_PER_SLOT * 4)
        .max_memories_per_component(MEMORIES_PER_SLOT * 4)
        .max_tables_per_module(TABLES_PER_SLOT * 4)
        .max_memories_per_module(MEMORIES_PER_SLOT * 4)
        .max_memory_size(MEMORY_SLOT_BYTES)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(MEMORY_RESIDENT_BYTES)
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

    #[test]
    fn classes_never_share_compiled_files() {
        let engines = Engines::new(PoolSettings { slots: 4, pagemap_scan: false }).unwrap();
        let mut prints: Vec<_> = EngineClass::ALL.into_iter().map(|class| engines.fingerprint(class)).collect();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), 3);
    }
}
