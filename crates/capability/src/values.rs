//! What a component reads through `wasi:config`: values that may change while it runs, and secrets.

use arc_swap::ArcSwap;
use cumulet_spec::sensitive::Sensitive;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Configuration values by key; replaced as a whole when one of their sources changes.
#[derive(Debug, Default)]
pub struct LiveConfig(ArcSwap<BTreeMap<String, String>>);

impl LiveConfig {
    /// Values to begin with.
    #[must_use]
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self(ArcSwap::from_pointee(values))
    }

    /// Replaces all values: calls that come after it see the new ones, none sees some of both.
    pub fn replace(&self, values: BTreeMap<String, String>) {
        self.0.store(Arc::new(values));
    }

    /// The values as they are now.
    #[must_use]
    pub fn now(&self) -> Arc<BTreeMap<String, String>> {
        self.0.load_full()
    }
}

/// The values and secrets of one component.
#[derive(Debug, Default)]
pub struct Values {
    /// What may be shown.
    pub live: Arc<LiveConfig>,
    /// What may not.
    pub secrets: BTreeMap<String, Sensitive>,
}

impl Values {
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.live.0.load().get(key).cloned()
    }

    pub(crate) fn all(&self) -> Vec<(String, String)> {
        self.live.0.load().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    pub(crate) fn secret(&self, key: &str) -> Option<&str> {
        self.secrets.get(key).map(Sensitive::reveal)
    }
}
