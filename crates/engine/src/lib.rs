//! Compiles, maps, instantiates, limits, slices and measures guests. With capability, the only crate that names wasmtime.
