//! What a component imports, against what it is granted: known before anything is compiled or run.
//!
//! Three kinds of imports: those that are always linked and answer with their own error where nothing is granted; stores,
//! which need a grant; and what this node does not offer at all.

mod links;
mod offer;
mod snapshot;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cumulet_capability::is_meta_variable;
use cumulet_engine::inspect::inspect;
use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::id::ComponentName;
use cumulet_spec::limit::Limits;
use cumulet_spec::manifest::Component;
use thiserror::Error;

use crate::check::offer::Offer;
use crate::componentize::{self, ProgramError};

pub use crate::check::links::{LinkProblem, Linked, links};
pub use crate::check::snapshot::{SnapshotPlan, snapshot};
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
    /// It holds a program that cannot be served.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// How thoroughly a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Headers, imports and exports: for what is compiled next anyway.
    Shape,
    /// All of it, function bodies too.
    Whole,
}

/// Reads a component's file. Of a program in a core module that requests are routed to, the imports are those of the
/// component that it is served as. Blocks.
///
/// # Errors
/// When it cannot be read, or holds no valid WebAssembly as far as `depth` looks, or a program that cannot be served.
pub fn read(path: &Path, role: Role, depth: Depth) -> Result<Inspection, ReadError> {
    read_kind(path, role, depth).map_err(|kind| ReadError { path: path.to_owned(), kind })
}

fn read_kind(path: &Path, role: Role, depth: Depth) -> Result<Inspection, ReadErrorKind> {
    let bytes = std::fs::read(path)?;
    let inspection = inspect(&bytes)?;
    if depth == Depth::Whole {
        cumulet_engine::inspect::validate(&bytes)?;
    }
    if role == Role::Http
        && let Some(component) = componentize::program(&bytes)?
    {
        return Ok(Inspection { kind: inspection.kind, ..inspect(&component)? });
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
    let Ok(bytes) = std::fs::read(path) else { return BTreeSet::new() };
    let program = componentize::program(&bytes).ok().flatten();
    cumulet_compose::hollow_imports(program.as_deref().unwrap_or(&bytes))
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
    let kind = inspection.kind;
    let is_program = role == Role::Http && kind.is_command();
    let read = |name: &String| match import(component, kind, name) {
        // What describes the request is there without a grant.
        found if is_program && found.access == Access::Refused && found.capability == Some(Capability::Env) => {
            Import { access: Access::Always, capability: None, ..found }
        }
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
    findings.extend(concurrent_finding(component, kind));
    findings.extend(snapshot::missing_finding(component, inspection));
    findings.extend(library_finding(component, role, kind));
    if is_program {
        findings.extend(program_findings(component));
    }
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
    if role == Role::Untriggered || inspection.kind.answers() {
        return None;
    }
    Some(match inspection.kind {
        Kind::Module => error(
            "it is a core module without `_start`, and a component or a program is needed".to_owned(),
            "build it for `wasm32-wasip2`; or with a `main` function for `wasm32-wasip1`, and it is served by CGI; or make a component of it with `cumulet componentize`",
        ),
        Kind::HttpP2 | Kind::HttpP3 | Kind::CommandP1 | Kind::CommandP2 | Kind::CommandP3 | Kind::Library => {
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

/// Several invocations in one instance at once take tasks, which WASI 0.2 does not have.
fn concurrent_finding(component: &Component, kind: Kind) -> Option<Finding> {
    let is_wanted = component.reuse.is_some_and(|reuse| reuse.concurrent > 1);
    (is_wanted && kind == Kind::HttpP2).then(|| Finding {
        severity: Severity::Warning,
        message: "`reuse.concurrent` has no effect: a component of WASI 0.2 serves one invocation after the other"
            .to_owned(),
        help: Some("build it for WASI 0.3, or leave `concurrent` out".to_owned()),
        capability: None,
    })
}

/// What of a manifest has no effect on a program that answers requests.
fn program_findings(component: &Component) -> Vec<Finding> {
    let warning = |message: String, help: &str, capability| Finding {
        severity: Severity::Warning,
        message,
        help: Some(help.to_owned()),
        capability,
    };
    let taken = component.grants.env.keys().filter(|name| is_meta_variable(name));
    let granted = taken.map(|name| {
        let message = format!("the variable `{name}` is granted, and with CGI it describes the request");
        warning(message, "give it another name", Some(Capability::Env))
    });
    let reused = component.reuse.is_some().then(|| {
        let message = "its `reuse` has no effect: it is a program, and a program answers once".to_owned();
        warning(message, "export a handler of `wasi:http` to answer more than once", None)
    });
    granted.chain(reused).collect()
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
