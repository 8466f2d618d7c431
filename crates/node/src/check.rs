//! What a component imports, against what it is granted: known before anything is compiled or run.
//!
//! Three kinds of imports: those that are always linked and answer with their own error where nothing is granted; stores,
//! which need a grant; and what this node does not offer at all.

mod links;
mod offer;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::id::ComponentName;
use cumulet_spec::limit::Limits;
use cumulet_spec::manifest::Component;
use thiserror::Error;

use crate::check::offer::Offer;

pub use crate::check::links::{LinkProblem, Linked, links};
pub use cumulet_engine::inspect::{InspectError, Inspection, Kind};

/// A component's file that could not be read, or is not WebAssembly.
#[derive(Debug, Error)]
#[error("cannot use the component {}", path.display())]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub kind: ReadErrorKind,
}

/// What is wrong with a component's file.
#[derive(Debug, Error)]
pub enum ReadErrorKind {
    /// The system refused to read it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It holds no valid WebAssembly.
    #[error(transparent)]
    Invalid(#[from] InspectError),
}

/// How thoroughly a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Headers, imports and exports: for what is compiled next anyway.
    Shape,
    /// All of it, function bodies too.
    Whole,
}

/// Reads a component's file. Blocks.
///
/// # Errors
/// When it cannot be read, or holds no valid WebAssembly as far as `depth` looks.
pub fn read(path: &Path, depth: Depth) -> Result<Inspection, ReadError> {
    read_kind(path, depth).map_err(|kind| ReadError { path: path.to_owned(), kind })
}

fn read_kind(path: &Path, depth: Depth) -> Result<Inspection, ReadErrorKind> {
    let bytes = std::fs::read(path)?;
    let inspection = cumulet_engine::inspect::inspect(&bytes)?;
    if depth == Depth::Whole {
        cumulet_engine::inspect::validate(&bytes)?;
    }
    Ok(inspection)
}

/// What the check of one component found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Each import, sorted by name.
    pub imports: Vec<Import>,
    /// What is to be said about it, errors first.
    pub findings: Vec<Finding>,
}

/// One import and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its name, as the component writes it.
    pub name: String,
    /// What it leads to.
    pub access: Access,
    /// The capability that decides about it, where one does.
    pub capability: Option<Capability>,
}

/// What an import leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Always there; nothing is to be granted.
    Always,
    /// What the manifest grants, each entry as it stands there.
    Granted(Vec<String>),
    /// Linked, but each call is refused with the interface's own error.
    Refused,
    /// Another component of the app.
    Linked(ComponentName),
    /// Nothing: the component cannot start without a grant.
    Missing,
    /// Nothing: this node does not have it.
    NotOffered,
}

impl Access {
    /// A stable word for machine output.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Granted(_) => "granted",
            Self::Refused => "refused",
            Self::Linked(_) => "linked",
            Self::Missing => "missing",
            Self::NotOffered => "not-offered",
        }
    }
}

/// Something to tell about a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is: a fragment.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The grant that it is about.
    pub capability: Option<Capability>,
}

/// How much a finding matters; what matters most is smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot be served.
    Error,
    /// Probably not meant.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// A stable word for machine output.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Whether a trigger leads to the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// HTTP requests are routed to it.
    Http,
    /// No trigger names it: it is linked to another, or run as a command.
    Untriggered,
}

/// The imports of a component's file that hold nothing but types; empty where it cannot be read. Blocks.
#[must_use]
pub fn hollow_imports(path: &Path) -> BTreeSet<String> {
    std::fs::read(path).map(|bytes| cumulet_compose::hollow_imports(&bytes)).unwrap_or_default()
}

/// Whether an import is of an interface that this node does not know, so that only a link or its being hollow
/// ([`hollow_imports`]) can satisfy it.
#[must_use]
pub fn is_unknown(import: &str) -> bool {
    offer::of(import) == Offer::Nothing
}

/// Compares what a component imports and exports with what the manifest says about it. Nothing has to stand behind the
/// imports in `hollow`.
#[must_use]
pub fn check(component: &Component, role: Role, inspection: &Inspection, hollow: &BTreeSet<String>) -> Checked {
    let read = |name: &String| match import(component, inspection.kind, name) {
        found if found.access == Access::NotOffered && hollow.contains(name) => {
            Import { access: Access::Always, ..found }
        }
        found => found,
    };
    let imports: Vec<Import> = inspection.imports.iter().map(read).collect();
    let mut findings = Vec::new();
    findings.extend(world_finding(role, inspection));
    findings.extend(imports.iter().filter_map(import_finding));
    findings.extend(refused_findings(&imports));
    findings.extend(unused_findings(&component.grants, &imports));
    findings.extend(unavailable_findings(component));
    findings.extend(library_finding(component, role, inspection.kind));
    findings.sort_by_key(|finding| finding.severity);
    Checked { imports, findings }
}

fn import(component: &Component, kind: Kind, name: &str) -> Import {
    let access = |access, capability| Import { name: name.to_owned(), access, capability };
    let unversioned = name.split('@').next().unwrap_or(name);
    if let Some(target) = component.link.get(name).or_else(|| component.link.get(unversioned)) {
        return access(Access::Linked(target.clone()), None);
    }
    if kind.is_core_module() && name == cumulet_engine::inspect::PREVIEW1 {
        return access(Access::Always, None);
    }
    let grants = &component.grants;
    match offer::of(name) {
        Offer::Always => access(Access::Always, None),
        Offer::Guarded(capability) if grants.has(capability) => {
            access(Access::Granted(grants.entries(capability)), Some(capability))
        }
        Offer::Guarded(capability) => access(Access::Refused, Some(capability)),
        Offer::Config if grants.has(Capability::Config) || grants.has(Capability::Secret) => {
            let mut granted = grants.entries(Capability::Config);
            granted.extend(grants.entries(Capability::Secret));
            let capability = if grants.has(Capability::Config) { Capability::Config } else { Capability::Secret };
            access(Access::Granted(granted), Some(capability))
        }
        Offer::Config => access(Access::Refused, Some(Capability::Config)),
        Offer::Store(capability) if grants.has(capability) => {
            access(Access::Granted(grants.entries(capability)), Some(capability))
        }
        Offer::Store(capability) => access(Access::Missing, Some(capability)),
        Offer::Nothing => access(Access::NotOffered, None),
    }
}

fn world_finding(role: Role, inspection: &Inspection) -> Option<Finding> {
    let error = |message: String, help: &str| Finding {
        severity: Severity::Error,
        message,
        help: Some(help.to_owned()),
        capability: None,
    };
    if role == Role::Untriggered || inspection.kind.serves_http() {
        return None;
    }
    Some(match inspection.kind {
        Kind::Module => error(
            "it is a core module, and a component is needed".to_owned(),
            "build it for `wasm32-wasip2`, or make a component of it with `wasm-tools component new`",
        ),
        Kind::CommandP1 | Kind::CommandP2 | Kind::CommandP3 => error(
            format!("it is a {}, and exports no HTTP handler", inspection.kind),
            "run it once with `cumulet run`; to serve it, export `wasi:http/incoming-handler@0.2` or `wasi:http/handler@0.3`",
        ),
        Kind::HttpP2 | Kind::HttpP3 | Kind::Library => {
            let near = inspection.exports.iter().find(|name| name.starts_with("wasi:http/"));
            let message = match near {
                Some(name) => format!("it exports `{name}`, a version that is not served"),
                None => "it exports no HTTP handler".to_owned(),
            };
            error(message, "export `wasi:http/incoming-handler@0.2` or `wasi:http/handler@0.3`")
        }
    })
}

fn import_finding(import: &Import) -> Option<Finding> {
    let error = |message: String, help: String| Finding {
        severity: Severity::Error,
        message,
        help: Some(help),
        capability: import.capability,
    };
    match (&import.access, import.capability) {
        (Access::Missing, Some(capability)) => Some(error(
            format!("it imports `{}`, and no `{capability}` is granted", import.name),
            format!("grant it by name, for example `{capability} = [\"default\"]` in the component's `grant`"),
        )),
        (Access::NotOffered | Access::Missing, _) => Some(error(
            format!("it imports `{}`, which this node does not offer", import.name),
            match offer::nearest(&import.name) {
                Some(nearest) => format!("`{nearest}` is offered; build it against that version"),
                None => "link it to a component that exports it, or build it without that import".to_owned(),
            },
        )),
        (Access::Always | Access::Granted(_) | Access::Refused | Access::Linked(_), _) => None,
    }
}

/// What a manifest may say already, and this node does not do yet.
fn unavailable_findings(component: &Component) -> Vec<Finding> {
    let concurrent = component.reuse.is_some_and(|reuse| reuse.concurrent > 1).then(|| Finding {
        severity: Severity::Warning,
        message: "`reuse.concurrent` above 1 is not available yet".to_owned(),
        help: Some("an instance serves one invocation after the other until it is".to_owned()),
        capability: None,
    });
    concurrent.into_iter().collect()
}

/// A component that others are linked to runs inside their instances: what is set for its own has no effect.
fn library_finding(component: &Component, role: Role, kind: Kind) -> Option<Finding> {
    let is_set = component.limits != Limits::default() || component.reuse.is_some();
    (is_set && role == Role::Untriggered && kind == Kind::Library).then(|| Finding {
        severity: Severity::Warning,
        message: "its `limit` and `reuse` have no effect: it has no instances of its own".to_owned(),
        help: Some("set them for the component that a trigger leads to, in whose instances this one runs".to_owned()),
        capability: None,
    })
}

/// One note for each capability whose interfaces are linked and refuse.
fn refused_findings(imports: &[Import]) -> impl Iterator<Item = Finding> {
    let refused = |capability: &Capability| {
        let by = |import: &&Import| import.access == Access::Refused && import.capability == Some(*capability);
        imports.iter().find(by).map(|import| Finding {
            severity: Severity::Note,
            message: format!(
                "it imports `{}`, and no `{capability}` is granted: {}",
                import.name,
                offer::refusal(*capability)
            ),
            help: None,
            capability: Some(*capability),
        })
    };
    Capability::ALL.into_iter().filter_map(move |capability| refused(&capability))
}

/// One warning for each grant that no import could use.
fn unused_findings(grants: &Grants, imports: &[Import]) -> impl Iterator<Item = Finding> {
    let used = |capability: Capability| {
        imports.iter().any(|import| match import.capability {
            Some(Capability::Config | Capability::Secret) => {
                matches!(capability, Capability::Config | Capability::Secret)
            }
            other => other == Some(capability),
        })
    };
    Capability::ALL.into_iter().filter(move |capability| grants.has(*capability) && !used(*capability)).map(
        |capability| Finding {
            severity: Severity::Warning,
            message: format!("`{capability}` is granted, and it imports nothing that would use it"),
            help: Some("remove the grant".to_owned()),
            capability: Some(capability),
        },
    )
}

#[cfg(test)]
mod tests;
