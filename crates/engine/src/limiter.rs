//! One memory limit over everything that an instance can grow.

use crate::config::TABLE_ELEMENTS_MAX;
use crate::gauge::{Breach, Gauge};
use std::sync::Arc;
use wasmtime::{Error, ResourceLimiter, Result};

/// Bytes that one table element takes in the host.
const TABLE_ELEMENT_BYTES: usize = 16;

/// Core instances that one store may hold.
const INSTANCES_MAX: usize = 64;
/// Tables that one store may hold.
const TABLES_MAX: usize = 64;
/// Linear memories that one store may hold.
const MEMORIES_MAX: usize = 16;

/// Refuses growth that would take the sum of all memories and tables of a store past its limit.
///
/// A refusal is no error: `memory.grow` and `table.grow` return −1 to the guest, and the gauge remembers it.
#[derive(Debug)]
pub struct MemoryLimiter {
    gauge: Arc<Gauge>,
    bytes: u64,
    pending: u64,
}

impl MemoryLimiter {
    /// A limiter that holds a store to the memory limit of `gauge`.
    #[must_use]
    pub fn new(gauge: Arc<Gauge>) -> Self {
        Self { gauge, bytes: 0, pending: 0 }
    }

    /// The gauge that this limiter writes to.
    #[must_use]
    pub fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    /// Counts on another gauge from here on. What is held already counts there at once.
    pub fn welcome(&mut self, gauge: Arc<Gauge>) {
        gauge.holds(self.bytes);
        self.gauge = gauge;
    }

    fn grow(&mut self, by: usize) -> bool {
        let by = by as u64;
        let wanted = self.bytes.saturating_add(by);
        if wanted > self.gauge.memory_bytes_max() {
            self.gauge.note(Breach::Memory);
            return false;
        }
        self.bytes = wanted;
        self.pending = by;
        self.gauge.holds(wanted);
        true
    }

    /// The engine could not do what was allowed: the bytes were never taken.
    fn undo(&mut self) {
        self.bytes = self.bytes.saturating_sub(self.pending);
        self.pending = 0;
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.undo();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        // The pool's bound comes as `maximum`, too, but it is ours and not the table's.
        if desired > TABLE_ELEMENTS_MAX {
            self.gauge.note(Breach::Memory);
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let elements = desired.saturating_sub(current);
        Ok(self.grow(elements.saturating_mul(TABLE_ELEMENT_BYTES)))
    }

    fn table_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.undo();
        Ok(())
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(max: u64) -> MemoryLimiter {
        MemoryLimiter::new(Arc::new(Gauge::new(u64::MAX, max)))
    }

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut limiter = limiter(1000);
        assert!(limiter.memory_growing(0, 500, None).unwrap());
        assert!(limiter.table_growing(0, 20, None).unwrap(), "320 bytes of table");
        assert!(!limiter.memory_growing(500, 700, None).unwrap());
        assert_eq!(limiter.gauge().breach(), Some(Breach::Memory));
        assert_eq!(limiter.gauge().memory_peak_bytes(), 820);
    }

    #[test]
    fn what_is_held_counts_for_whoever_comes_next() {
        let mut limiter = limiter(1000);
        assert!(limiter.memory_growing(0, 600, None).unwrap());
        let next = Arc::new(Gauge::new(u64::MAX, 800));
        limiter.welcome(Arc::clone(&next));
        assert_eq!(next.memory_peak_bytes(), 600);
        assert!(!limiter.memory_growing(600, 900, None).unwrap());
        assert_eq!(next.breach(), Some(Breach::Memory));
        assert!(limiter.memory_growing(600, 800, None).unwrap());
    }

    #[test]
    fn failed_growth_gives_back() {
        let mut limiter = limiter(1000);
        assert!(limiter.memory_growing(0, 900, None).unwrap());
        limiter.memory_grow_failed(Error::msg("no memory")).unwrap();
        assert!(limiter.memory_growing(0, 1000, None).unwrap());
    }

    #[test]
    fn a_memorys_own_maximum_is_no_breach() {
        let mut limiter = limiter(1000);
        assert!(!limiter.memory_growing(0, 500, Some(400)).unwrap());
        assert_eq!(limiter.gauge().breach(), None);
    }

    #[test]
    fn a_table_larger_than_the_pool_holds_is_a_breach() {
        let mut limiter = limiter(u64::MAX);
        assert!(limiter.table_growing(0, TABLE_ELEMENTS_MAX, Some(TABLE_ELEMENTS_MAX)).unwrap());
        assert!(!limiter.table_growing(0, TABLE_ELEMENTS_MAX + 1, Some(TABLE_ELEMENTS_MAX)).unwrap());
        assert_eq!(limiter.gauge().breach(), Some(Breach::Memory));
    }
}
