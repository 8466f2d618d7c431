//! What a guest may reach: the data of its store, the contents of its linker, its typed exports.
//!
//! With `engine`, the only crate that names wasmtime. It knows neither routes nor bills.

mod ahead;
mod blobstore;
mod cgi;
mod client;
mod clock;
pub mod command;
mod config;
mod exchange;
mod host;
mod http;
mod instance;
mod keyvalue;
mod linker;
mod occupant;
mod outbound;
mod output;
mod postgres;
mod profile;
mod reason;
mod seat;
mod shared;
mod sqlite;
mod stores;
mod values;
mod warm;
mod witness;

pub use self::ahead::{Ahead, Making};
pub use self::cgi::is_meta_variable;
pub use self::http::{PrepareError, Prepared, RequestBodyFailure};
pub use exchange::{ClientBody, Exchange, GuestBody, GuestEnd, GuestResponse};
pub use host::{FIELDS_BYTES_MAX, HANDLES_MAX, Host};
pub use linker::{Linkers, OFFERED};
pub use outbound::{
    Answer as InsideAnswer, Hooks, Inside, InsideBody, InsideError, Lookup, Outbound, OutboundOptions, RequestBody,
    Resolve, ResponseBody, Root, RootsError, RootsFault, load_platform_roots, parse_roots, read_roots,
};
pub use output::{Channel, OUTPUT_BYTES_MAX, OutputSink};
pub use profile::{Profile, ProfileError, Surroundings};
pub use values::{LiveConfig, Values};
pub use warm::{Held, Room, Warm};
pub use witness::{Asked, Witness};
