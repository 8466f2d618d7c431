//! What compiled files depend on besides their component.

use crate::class::EngineClass;
use crate::config::{EngineError, WASMTIME_VERSION};
use crate::engines::CompileEngines;
use std::hash::{Hash, Hasher};
use wasmtime::Engine;

/// How snapshots are made. Another number, and everything is compiled anew: a compiled file does not say whether an
/// initialiser was run for it.
const SNAPSHOT_FORMAT: u32 = 1;

/// What a compiled file depends on besides its component, for each class: 16 hexadecimal characters that change with
/// the engine's release and with every setting that shapes the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    plain: String,
    concurrent: String,
    large: String,
}

impl Fingerprints {
    /// Those of [`Engines`](crate::Engines) and [`CompileEngines`] in this process. Makes no pool.
    ///
    /// # Errors
    /// When the machine lacks a feature of the processor.
    pub fn of_this_build() -> Result<Self, EngineError> {
        Ok(CompileEngines::new()?.fingerprints())
    }

    /// Those of engines that are there.
    pub(crate) fn of(engines: &CompileEngines) -> Self {
        let of = |class| fingerprint(engines.get(class), class);
        Self { plain: of(EngineClass::Plain), concurrent: of(EngineClass::Async), large: of(EngineClass::Large) }
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

pub(crate) fn fingerprint(engine: &Engine, class: EngineClass) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_never_share_compiled_files() {
        let Fingerprints { plain, concurrent, large } = Fingerprints::of_this_build().unwrap();
        assert!(plain != concurrent && concurrent != large && large != plain);
    }
}
