//! The settings of engines. Every one that bears on safety stands here.

use crate::class::EngineClass;
use crate::pool::PoolSettings;
use thiserror::Error;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, ModuleVersionStrategy, PoolingAllocationConfig};

/// The engine's release. Part of the key of every compiled file, because the format checks the major version alone:
/// without it a patch release would keep running old code.
pub(crate) const WASMTIME_VERSION: &str = "48.0.8";

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

/// What an engine is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
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

/// Sets up an engine.
///
/// # Errors
/// When the machine refuses the address space or lacks a feature of the processor.
pub(crate) fn build(class: EngineClass, purpose: Purpose) -> Result<Engine, EngineError> {
    Engine::new(&config(class, purpose)).map_err(|source| EngineError { class, source })
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
}
