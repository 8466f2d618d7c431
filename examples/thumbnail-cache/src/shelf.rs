//! What the app asks of a blob store: the part of `wasi:blobstore` that it uses, so that the rest can be tested without a
//! host.

/// Objects under names.
pub trait Shelf {
    /// An object, if it is there.
    ///
    /// # Errors
    /// As for every method here: when the store fails.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ShelfError>;

    /// Creates or replaces an object, which is given in pieces.
    fn put(&self, name: &str, pieces: &[Vec<u8>]) -> Result<(), ShelfError>;

    /// Removes an object; one that is not there is no error.
    fn delete(&self, name: &str) -> Result<(), ShelfError>;
}

/// Why the store did not do what it was asked for: `wasi:blobstore` has words only, which are for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    /// The container cannot be opened, most likely because the manifest does not grant it.
    #[error("the container cannot be opened: {0}")]
    Closed(String),
    /// Anything else.
    #[error("the blob store failed: {0}")]
    Failed(String),
}
