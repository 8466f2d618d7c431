//! What encrypts connections.

/// Chooses the cryptography for this process, unless the program has chosen one. Some dependency brings a second one
/// along, and rustls does not guess between two.
pub(super) fn choose_cryptography() {
    // An error says that somebody else was first, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
}
