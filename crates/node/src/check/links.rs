//! Whether what a manifest links goes together: known before anything is compiled or run.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cumulet_compose::{Member, Problem};
use cumulet_spec::id::{ComponentName, Digest};
use cumulet_spec::manifest::Manifest;
use cumulet_spec::revision::{REVISION_FORMAT, Revision, RevisionComponent};

use crate::componentize;

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkProblem {
    /// The component whose links, or whose bytes, it is about.
    pub component: ComponentName,
    /// The key of the link in the manifest, if it is about one.
    pub link: Option<String>,
    /// What does not fit: a fragment.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// A component that links make larger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// Its components: first the one that triggers lead to.
    pub members: Vec<ComponentName>,
}

/// Composes everything that a manifest links, and tells what does not fit; each thing once.
///
/// `bytes` are those of the components. Blocks.
///
/// # Errors
/// With all that does not fit.
pub fn links(manifest: &Manifest, bytes: &BTreeMap<ComponentName, Vec<u8>>) -> Result<Vec<Linked>, Vec<LinkProblem>> {
    let revision = outline(manifest);
    let (mut composed, mut problems) = (Vec::new(), Vec::new());
    let bytes: BTreeMap<&ComponentName, Cow<'_, [u8]>> =
        bytes.iter().map(|(name, bytes)| (name, as_component(bytes))).collect();
    for unit in revision.units().filter(|unit| unit.is_composed()) {
        let members = unit.members();
        let parts = members
            .iter()
            .filter_map(|(name, component)| Some(Member { name, bytes: bytes.get(name)?, link: &component.link }));
        match cumulet_compose::check(&parts.collect::<Vec<_>>()) {
            Ok(()) => composed.push(Linked { members: members.iter().map(|(name, _)| (*name).clone()).collect() }),
            Err(error) => problems.extend(error.problems.into_iter().map(told)),
        }
    }
    // What two compositions share is wrong in both.
    let mut once: Vec<LinkProblem> = Vec::new();
    for problem in problems {
        if !once.contains(&problem) {
            once.push(problem);
        }
    }
    if once.is_empty() { Ok(composed) } else { Err(once) }
}

/// A program in a core module is composed as the component that it is served as.
fn as_component(bytes: &[u8]) -> Cow<'_, [u8]> {
    componentize::program(bytes).ok().flatten().map_or(Cow::Borrowed(bytes), Cow::Owned)
}

fn told(problem: Problem) -> LinkProblem {
    LinkProblem {
        message: problem.to_string(),
        help: problem.kind.help(),
        component: problem.component,
        link: problem.link,
    }
}

/// What a manifest comes to, but for the bytes of its components.
fn outline(manifest: &Manifest) -> Revision {
    let component = |(name, component): (&ComponentName, &cumulet_spec::manifest::Component)| {
        let parts = RevisionComponent {
            digest: Digest::of(name.as_str().as_bytes()),
            limits: component.limits,
            grants: component.grants.clone(),
            link: component.link.clone(),
            reuse: component.reuse,
            snapshot: component.snapshot,
        };
        (name.clone(), parts)
    };
    Revision {
        format: REVISION_FORMAT,
        app: manifest.app.name.clone(),
        version: None,
        components: manifest.components.iter().map(component).collect(),
        routes: manifest.http.clone(),
        probe: None,
        rollout: None,
        roots: Vec::new(),
    }
}
