//! A component of a manifest.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::grant::{Capability, Grants};
use crate::id::{ComponentName, Digest};
use crate::limit::Limits;
use crate::reference::Reference;

/// A component: where it comes from, how it is built, and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Where its bytes come from.
    pub source: Source,
    /// How they are made, if here.
    pub build: Option<Build>,
    /// What it may reach.
    pub grants: Grants,
    /// What it may use.
    pub limits: Limits,
    /// Which of its imports other components serve, by the name of the import.
    pub link: BTreeMap<String, ComponentName>,
    /// Whether an instance serves more than one invocation; a fresh one for each when there is none.
    pub reuse: Option<Reuse>,
    /// Whether it is run through its initialiser once, if it exports one, and starts from what that left behind.
    pub snapshot: bool,
    /// Where all that stands in the text.
    pub spans: ComponentSpans,
}

/// Where a component's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A `.wasm` or `.wat` file, relative to the manifest.
    File(PathBuf),
    /// An artifact in a registry.
    Oci {
        /// Where it is.
        reference: Reference,
        /// Of the component's bytes, or of the artifact's manifest.
        digest: Digest,
    },
    /// A file behind a URL.
    Url {
        /// The URL, which holds neither a name nor a password.
        url: String,
        /// Of the component's bytes.
        digest: Digest,
    },
}

/// How a component is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// What the shell runs.
    pub command: String,
    /// Where, relative to the manifest.
    pub dir: PathBuf,
    /// Patterns of the files, relative to `dir`, whose change means another build; every file when there are none.
    pub watch: Vec<String>,
}

/// How long an instance lives when it serves more than one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reuse {
    /// Invocations until it is ended; at least 1.
    pub requests: u32,
    /// Invocations at once; at least 1, above 1 only for WASI 0.3.
    pub concurrent: u32,
}

impl Reuse {
    /// The most invocations that one instance can be asked to serve.
    pub const REQUESTS_MAX: u32 = 1_000_000_000;
    /// The most invocations that one instance can be asked to serve at once.
    pub const CONCURRENT_MAX: u32 = 10_000;
}

/// Where a component stands in the manifest, in bytes, for problems that only show once it has been loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentSpans {
    /// Its name in the header of its table.
    pub name: Range<usize>,
    /// The value of `source`.
    pub source: Range<usize>,
    /// The value of `build`; empty at 0 when there is none.
    pub build: Range<usize>,
    /// The key of each grant.
    pub grant: BTreeMap<Capability, Range<usize>>,
    /// The key of each link.
    pub link: BTreeMap<String, Range<usize>>,
    /// The value of `snapshot`; empty at 0 when there is none.
    pub snapshot: Range<usize>,
}
