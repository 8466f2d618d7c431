//! The engines of a process: those that serve, and those that compile for them.

use crate::class::EngineClass;
use crate::config::{EngineError, Purpose, build};
use crate::fingerprint::Fingerprints;
use crate::pool::{PoolSettings, PoolUsage};
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};
use wasmtime::Engine;

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
        Fingerprints::of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::fingerprint;

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
}
