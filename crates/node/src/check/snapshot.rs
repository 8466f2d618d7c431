//! Whether a component starts from what its initialiser left behind.

use std::fmt;
use std::path::Path;

use cumulet_engine::{INITIALISER, unfit};
use cumulet_spec::manifest::Component;

use crate::check::{Finding, Inspection, Severity};

/// What becomes of a component's initialiser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotPlan {
    /// It is run once before the component is compiled.
    ByInitialiser,
    /// Nobody runs it: the manifest says so.
    Declined,
    /// Nobody runs it, because of what the component is made of.
    Unfit(String),
}

impl fmt::Display for SnapshotPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByInitialiser => f.write_str("by its initialiser"),
            Self::Declined => f.write_str("no, because the manifest says so"),
            Self::Unfit(reason) => write!(f, "no, because of its shape: {reason}"),
        }
    }
}

impl SnapshotPlan {
    /// What is to be said about it beside the plan itself.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        let Self::Unfit(reason) = self else { return None };
        Some(Finding {
            severity: Severity::Warning,
            message: format!("it exports `{INITIALISER}`, and no snapshot can be taken of it: {reason}"),
            help: Some("write `snapshot = false` if it need not be called, or build it without that".to_owned()),
            capability: None,
        })
    }
}

/// What becomes of the initialiser in a component's file; `None` where it exports none, or is a command. Blocks.
#[must_use]
pub fn snapshot(component: &Component, inspection: &Inspection, path: &Path) -> Option<SnapshotPlan> {
    if !exports_initialiser(inspection) || inspection.kind.is_command() {
        return None;
    }
    if !component.snapshot {
        return Some(SnapshotPlan::Declined);
    }
    let reason = std::fs::read(path).ok().and_then(|bytes| unfit(&bytes));
    Some(reason.map_or(SnapshotPlan::ByInitialiser, SnapshotPlan::Unfit))
}

/// A snapshot was asked for in so many words, and there is nothing to run.
pub(super) fn missing_finding(component: &Component, inspection: &Inspection) -> Option<Finding> {
    let is_asked = component.snapshot && !component.spans.snapshot.is_empty();
    (is_asked && !exports_initialiser(inspection)).then(|| Finding {
        severity: Severity::Warning,
        message: format!("`snapshot = true` has no effect: it exports no `{INITIALISER}`"),
        help: Some("export that function, or remove the line".to_owned()),
        capability: None,
    })
}

fn exports_initialiser(inspection: &Inspection) -> bool {
    inspection.exports.iter().any(|name| name == INITIALISER)
}
