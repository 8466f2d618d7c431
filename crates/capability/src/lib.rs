//! What a guest may reach: the data of its store, the contents of its linker, its typed exports.
//!
//! With `engine`, the only crate that names wasmtime. It knows neither routes nor bills.

mod client;
pub mod command;
mod exchange;
mod host;
mod http;
mod linker;
mod outbound;
mod output;
mod profile;
mod reason;

pub use self::http::{PrepareError, Prepared, RequestBodyFailure};
pub use exchange::{Exchange, GuestBody, GuestEnd, GuestResponse};
pub use host::{FIELDS_BYTES_MAX, HANDLES_MAX, Host};
pub use linker::{Linkers, OFFERED};
pub use outbound::{
    Answer, Hooks, Inside, Lookup, Outbound, OutboundOptions, RequestBody, Resolve, ResponseBody, RootsError,
    RootsFault, read_roots,
};
pub use output::{Channel, OUTPUT_BYTES_MAX, OutputSink};
pub use profile::{Profile, ProfileError};
