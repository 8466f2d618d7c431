//! Mapped code, shared by all apps that have the same component.

use cumulet_artifact::CompiledKey;
use cumulet_engine::Compiled;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

/// What all mapped code takes.
#[derive(Debug, Default)]
pub(crate) struct CodeTotals {
    bytes: AtomicU64,
    files: AtomicU64,
}

impl CodeTotals {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }
}

/// One mapped file. Counted for as long as anything runs on it.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) compiled: Compiled,
    key: CompiledKey,
    /// The size of the file's code.
    pub(crate) bytes: u64,
    codes: Arc<Shared>,
}

impl Drop for Code {
    fn drop(&mut self) {
        self.codes.totals.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.codes.totals.files.fetch_sub(1, Ordering::Relaxed);
        let mut mapped = self.codes.mapped.lock();
        // Another file may have been mapped under this key since the last holder let go.
        if mapped.get(&self.key).is_some_and(|code| code.strong_count() == 0) {
            mapped.remove(&self.key);
        }
    }
}

#[derive(Debug)]
struct Shared {
    mapped: Mutex<HashMap<CompiledKey, Weak<Code>>>,
    totals: Arc<CodeTotals>,
}

/// The code that is mapped.
#[derive(Clone, Debug)]
pub(crate) struct Codes(Arc<Shared>);

impl Codes {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared { mapped: Mutex::default(), totals: Arc::default() }))
    }

    pub(crate) fn totals(&self) -> &Arc<CodeTotals> {
        &self.0.totals
    }

    /// The code under a key, if it is mapped.
    pub(crate) fn get(&self, key: &CompiledKey) -> Option<Arc<Code>> {
        self.0.mapped.lock().get(key)?.upgrade()
    }

    /// Shares what was mapped from a file of this size. Whoever came first is kept.
    pub(crate) fn share(&self, key: CompiledKey, compiled: Compiled, bytes: u64) -> Arc<Code> {
        let mut mapped = self.0.mapped.lock();
        if let Some(code) = mapped.get(&key).and_then(Weak::upgrade) {
            return code;
        }
        self.0.totals.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.0.totals.files.fetch_add(1, Ordering::Relaxed);
        let code = Arc::new(Code { compiled, key: key.clone(), bytes, codes: Arc::clone(&self.0) });
        mapped.insert(key, Arc::downgrade(&code));
        code
    }
}
