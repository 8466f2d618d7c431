//! What the app asks of a key-value store: the part of `wasi:keyvalue` that it uses, so that the rest can be tested
//! without a host.

/// Values under keys. A counter is kept as decimal text, so that it can be read like any value.
pub trait Store {
    /// The value under a key.
    ///
    /// # Errors
    /// As for every method here: when the store fails.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values under several keys, in the order of the keys.
    fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Sets the value under a key.
    fn set(&self, key: &str, value: &str) -> Result<(), StoreError>;

    /// Sets the value under a key if it has none. Of two who try at once, one succeeds.
    fn claim(&self, key: &str, value: &str) -> Result<Claim, StoreError>;

    /// Adds 1 to a counter, which starts at 0, and returns its new value.
    fn increment(&self, key: &str) -> Result<u64, StoreError>;

    /// Some keys, from a cursor on, and the cursor to go on with.
    fn list(&self, cursor: Option<&str>) -> Result<(Vec<String>, Option<String>), StoreError>;
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The key is now this caller's.
    Made,
    /// Somebody else was first.
    Taken,
}

/// Why the store did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The manifest does not grant the bucket.
    #[error("the manifest does not grant the bucket")]
    NotGranted,
    /// Anything else. The text is for the operator.
    #[error("the store failed: {0}")]
    Failed(String),
}
