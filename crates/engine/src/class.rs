//! The kinds of engine, chosen by what a guest needs.

/// Which engine a guest runs on.
///
/// The class follows from the guest's features and is part of the key of its compiled file; it is invisible outside
/// this crate and `capability`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineClass {
    /// WASI 0.2 alone: no state for concurrent tasks, which makes an instance cheaper.
    Plain,
    /// WASI 0.3: concurrent tasks, streams and futures.
    Async,
    /// Memories beyond the pool's slots and every feature of Wasm 3.0, allocated on demand.
    Large,
}

impl EngineClass {
    /// Every class.
    pub const ALL: [EngineClass; 3] = [EngineClass::Plain, EngineClass::Async, EngineClass::Large];

    /// The class's name in file names and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            EngineClass::Plain => "plain",
            EngineClass::Async => "async",
            EngineClass::Large => "large",
        }
    }
}
