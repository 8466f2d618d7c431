//! Bytes in, verified bytes out: sources, digests, and the store of compiled files.
