//! How large the pools are, and what they hold.

use crate::config::{ASYNC_STACKS_PER_SLOT, MEMORIES_PER_SLOT, MEMORY_SLOT_BYTES, PLAIN_STACKS_PER_SLOT};
use crate::machine::Machine;
use wasmtime::{Engine, PoolingAllocationConfig};

/// The smallest pool that is worth serving from, in slots.
const SLOTS_MIN: u32 = 64;
/// The largest pool, in slots. More would make the start of a node slow, because each stack gets its guard page then.
const SLOTS_MAX: u32 = 8_192;
/// Memory of the machine for each slot, in bytes: what an instance of ordinary size uses, with what its slot keeps.
const MEMORY_BYTES_PER_SLOT: u64 = 4 << 20;
/// Pools that reserve address space: those of the classes `plain` and `async`.
const POOLS: u64 = 2;
/// Address space of a slot in one pool, in bytes: its memories with a guard of 32 MiB behind each, its tables and stacks.
const ADDRESS_BYTES_PER_SLOT: u64 = MEMORIES_PER_SLOT as u64 * (MEMORY_SLOT_BYTES as u64 + (32 << 20)) + (32 << 20);
/// Mappings of a slot over both pools: each stack and its guard page are two from the start, and a memory is up to
/// four (what is mapped from its image, what was written, what it may still grow into, its guard) once it was used.
const MAPPINGS_PER_SLOT: u64 =
    2 * (PLAIN_STACKS_PER_SLOT + ASYNC_STACKS_PER_SLOT) as u64 + 4 * MEMORIES_PER_SLOT as u64;
/// The part of the machine's mappings that pools may take: the other half is for the code of loaded components.
const MAPPINGS_DIVISOR: u64 = 2;
/// The part of the address space that pools may take, in eighths. The program lies about two thirds up and cuts it in
/// two, the larger part of which has to hold both pools; the rest is for loaded code, files and the heap.
const ADDRESS_EIGHTHS: u64 = 5;

/// The part of the machine's memory that the free slots of one pool may keep after a peak.
const RESIDENT_PART: u64 = 8;
/// A slot keeps at least this, in bytes: what small guests write.
const RESIDENT_BYTES_MIN: usize = 128 << 10;
/// A slot keeps no more than this, in bytes: what most guests write.
const RESIDENT_BYTES_MAX: usize = 2 << 20;

/// How large the pool of an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSettings {
    /// Instances that can exist at once. Each takes 8 GiB of address space, and memory only as it is used.
    pub slots: u32,
    /// Reset slots by asking the kernel which pages were written. See [`pagemap_scan_is_safe`].
    pub pagemap_scan: bool,
    /// Memory that a slot keeps between two instances, in bytes: what is kept need not be asked for again, and is not
    /// given back.
    pub resident_bytes: usize,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { slots: 1_024, pagemap_scan: pagemap_scan_is_safe(), resident_bytes: RESIDENT_BYTES_MAX }
    }
}

impl PoolSettings {
    /// As many slots as a machine carries, from 64 to 8,192: what is scarcest of its memory (4 MiB for each slot), its
    /// mappings (14, of one half) and its address space (16 GiB, of five eighths) decides.
    #[must_use]
    pub fn for_machine(machine: &Machine) -> Self {
        let by_memory = machine.memory_bytes / MEMORY_BYTES_PER_SLOT;
        let by_mappings = machine.mappings_max / MAPPINGS_DIVISOR / MAPPINGS_PER_SLOT;
        let by_address = machine.address_bytes / 8 * ADDRESS_EIGHTHS / (POOLS * ADDRESS_BYTES_PER_SLOT);
        let slots = by_memory.min(by_mappings).min(by_address);
        let slots = u32::try_from(slots).unwrap_or(SLOTS_MAX).clamp(SLOTS_MIN, SLOTS_MAX);
        let resident = machine.memory_bytes / RESIDENT_PART / u64::from(slots);
        let resident_bytes = usize::try_from(resident).unwrap_or(usize::MAX);
        let resident_bytes = resident_bytes.clamp(RESIDENT_BYTES_MIN, RESIDENT_BYTES_MAX);
        Self { slots, pagemap_scan: pagemap_scan_is_safe(), resident_bytes }
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

/// Whether the kernel can be asked which pages were written, whether or not that is safe: Linux 6.7 and later.
#[must_use]
pub fn pagemap_scan_is_available() -> bool {
    PoolingAllocationConfig::is_pagemap_scan_available()
}

/// What the pools hold at one moment. The numbers are read one after another, so that they need not agree exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolUsage {
    /// Instances of components that exist.
    pub instances: u64,
    /// Memories that instances use.
    pub memories: u64,
    /// Memories that no instance uses and that one has used: they are ready for the next at less cost.
    pub warm_memories: u64,
    /// Stacks that no instance uses and that one has used. They keep what was touched of them.
    pub warm_stacks: u64,
    /// Memory that unused memories and tables keep, in bytes. What stacks keep is not known.
    pub resident_bytes: u64,
}

impl PoolUsage {
    pub(crate) fn of<'e>(engines: impl Iterator<Item = &'e Engine>) -> Self {
        let mut sum = Self::default();
        for metrics in engines.filter_map(Engine::pooling_allocator_metrics) {
            sum.instances += metrics.component_instances();
            sum.memories += metrics.memories() as u64;
            sum.warm_memories += u64::from(metrics.unused_warm_memories());
            sum.warm_stacks += u64::from(metrics.unused_warm_stacks());
            let resident = metrics.unused_memory_bytes_resident() + metrics.unused_table_bytes_resident();
            sum.resident_bytes += resident as u64;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Engines, machine::Machine};
    use wasmtime::Store;
    use wasmtime::component::{Component, Linker};

    const GIB: u64 = 1 << 30;
    const MAPPINGS: u64 = 65_530;
    const ADDRESS: u64 = 1 << 47;

    #[test]
    fn the_scarcest_resource_decides() {
        let check = |memory_bytes, mappings_max, address_bytes, slots| {
            let machine = Machine { memory_bytes, mappings_max, address_bytes };
            assert_eq!(PoolSettings::for_machine(&machine).slots, slots, "{machine:?}");
        };
        // Memory.
        check(GIB, MAPPINGS, ADDRESS, 256);
        check(4 * GIB, MAPPINGS, ADDRESS, 1_024);
        // Mappings, as Linux has them unless it is told otherwise.
        check(24 * GIB, MAPPINGS, ADDRESS, 2_340);
        check(24 * GIB, 262_144, ADDRESS, 5_060);
        // Address space.
        check(512 * GIB, 1 << 20, ADDRESS, 5_060);
        check(24 * GIB, MAPPINGS, 1 << 42, 158);
        // The bounds.
        check(16 << 20, MAPPINGS, ADDRESS, SLOTS_MIN);
        check(4_096 * GIB, 1 << 30, 1 << 56, SLOTS_MAX);
        check(u64::MAX, u64::MAX, u64::MAX, SLOTS_MAX);
        check(0, 0, 0, SLOTS_MIN);
    }

    #[test]
    fn usage_follows_instances() {
        let engines =
            Engines::new(PoolSettings { slots: 4, pagemap_scan: pagemap_scan_is_safe(), ..PoolSettings::default() });
        let engine = engines.get(crate::EngineClass::Plain).unwrap();
        let text = "(component (core module $m (memory 1)) (core instance (instantiate $m)))";
        let component = Component::new(engine, text).unwrap();
        assert_eq!(engines.pool_usage(), PoolUsage::default());
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(1);
        Linker::new(engine).instantiate(&mut store, &component).unwrap();
        let usage = engines.pool_usage();
        assert_eq!((usage.instances, usage.memories, usage.warm_memories), (1, 1, 0));
        drop(store);
        let usage = engines.pool_usage();
        assert_eq!((usage.instances, usage.memories, usage.warm_memories), (0, 0, 1));
    }
}
