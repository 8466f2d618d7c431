//! The manifest, `cumulet.toml`: what an app is made of, what it may reach and what calls it.

mod app;
mod component;
mod component_table;
mod error;
mod grant;
mod limit;
mod link;
mod probe;
mod rollout;
mod single;
mod source;
mod trigger;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::id::{AppName, ComponentName};
use crate::probe::Probe;
use crate::rollout::Rollout;
use crate::route::Route;

pub use component::{Build, Component, ComponentSpans, Reuse, Source};
pub use error::ManifestError;

pub use crate::document::{Position, Problem};

/// The version of the manifest's form, which `manifest = 1` states.
pub const MANIFEST_FORMAT: i64 = 1;

/// The largest manifest that is read, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;

/// The most components of one app.
pub const COMPONENTS_MAX: usize = 256;

/// The name of the file.
pub const MANIFEST_FILE: &str = "cumulet.toml";

/// A manifest in which everything that can be known without looking at other files has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The app.
    pub app: App,
    /// Its components; at least one.
    pub components: BTreeMap<ComponentName, Component>,
    /// Its HTTP routes, in the order of the file; no two conflict, and each leads to one of the components.
    pub http: Vec<Route>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
}

/// The app as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its name.
    pub name: AppName,
    /// The version that its author gives it; any text.
    pub version: Option<String>,
    /// Files of root certificates that its outbound requests trust like those of the platform, relative to the manifest.
    pub roots: Vec<PathBuf>,
    /// How a new revision shows that it works; [`Probe::default`] where nothing is said.
    pub probe: Option<Probe>,
    /// Within which bounds a new revision must stay; without, none is taken back by the node itself.
    pub rollout: Option<Rollout>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// All problems that were found, each with its place in the text.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        app::parse(text)
    }
}
