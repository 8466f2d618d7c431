//! Every component of a target, read and checked against its grants, before anything is compiled.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::PathBuf;

use cumulet_node::check::{
    self, Checked, Depth, Finding, InspectError, Inspection, LinkProblem, ReadError, ReadErrorKind, Role, Severity,
    SnapshotPlan,
};
use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::{Component, Position, Problem};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::target::Target;

/// What the components are looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// They are to be served: a bare component gets every route.
    Serve,
    /// To be shown: a bare component may be a command as well, and everything is validated.
    Show,
}

/// One component with what was found out about it.
#[derive(Debug)]
pub(crate) struct Reviewed {
    /// Its name.
    pub(crate) name: ComponentName,
    /// Its file.
    pub(crate) path: PathBuf,
    /// What the file holds.
    pub(crate) inspection: Inspection,
    /// What is to be said about it.
    pub(crate) checked: Checked,
    /// What becomes of its initialiser, if it has one.
    pub(crate) snapshot: Option<SnapshotPlan>,
}

/// Reads and checks every component. Blocks.
///
/// # Errors
/// When one cannot be read or is not WebAssembly. What the check finds is no failure yet: see [`refused`].
pub(crate) fn review(target: &Target, purpose: Purpose) -> Result<Vec<Reviewed>, Box<Failure>> {
    let depth = if purpose == Purpose::Show { Depth::Whole } else { Depth::Shape };
    let mut reviewed = Vec::new();
    for (name, component, path) in target.sources()? {
        let routed = target.manifest.http.iter().any(|route| route.component == *name);
        let is_shown_bare = purpose == Purpose::Show && target.file.is_none();
        let role = if routed && !is_shown_bare { Role::Http } else { Role::Untriggered };
        let inspection =
            check::read(&path, role, depth).map_err(|error| unreadable(target, (name, component), &error))?;
        let is_unknown = inspection.imports.iter().any(|import| check::is_unknown(import));
        let hollow = if is_unknown { check::hollow_imports(&path) } else { BTreeSet::new() };
        let mut checked = check::check(component, role, &inspection, &hollow);
        let snapshot = check::snapshot(component, &inspection, &path);
        checked.findings.extend(snapshot.as_ref().and_then(SnapshotPlan::finding));
        reviewed.push(Reviewed { name: name.clone(), path, inspection, checked, snapshot });
    }
    Ok(reviewed)
}

/// Why it cannot be served, if it cannot: links that do not fit, or the first component with an error. Blocks.
pub(crate) fn refused(target: &Target, reviewed: &[Reviewed]) -> Option<Box<Failure>> {
    links(target).err().or_else(|| refusal(reviewed))
}

/// Composes what is linked, to see that it goes together. Blocks.
///
/// # Errors
/// With everything that does not fit, where the manifest says it.
fn links(target: &Target) -> Result<(), Box<Failure>> {
    if target.manifest.components.values().all(|component| component.link.is_empty()) {
        return Ok(());
    }
    let mut bytes = BTreeMap::new();
    for (name, component, path) in target.sources()? {
        let read = std::fs::read(&path).map_err(|source| ReadError { path, kind: ReadErrorKind::Io(source) });
        bytes.insert(name.clone(), read.map_err(|error| unreadable(target, (name, component), &error))?);
    }
    match check::links(&target.manifest, &bytes) {
        Ok(_) => Ok(()),
        Err(problems) => Err(unlinked(target, problems)),
    }
}

fn unlinked(target: &Target, problems: Vec<LinkProblem>) -> Box<Failure> {
    let problem = |problem: LinkProblem| {
        let spans = target.manifest.components.get(&problem.component).map(|component| &component.spans);
        let link = spans.and_then(|spans| spans.link.get(problem.link.as_ref()?));
        let span = link.or_else(|| spans.map(|spans| &spans.name)).cloned().unwrap_or_default();
        Problem::new(span, problem.message).with_help(problem.help)
    };
    target.problems("the links do not fit", problems.into_iter().map(problem).collect())
}

/// The failure of the first component that cannot be served.
fn refusal<'a>(reviewed: impl IntoIterator<Item = &'a Reviewed>) -> Option<Box<Failure>> {
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    let refused = reviewed.into_iter().find(|one| one.checked.findings.iter().any(|finding| is_error(&finding)))?;
    let mut failure = Failure::new(Exit::INVALID, format!("the component `{}` cannot be served", refused.name));
    failure = failure.at(&refused.path);
    let mut steps: Vec<&str> = Vec::new();
    for finding in refused.checked.findings.iter().filter(is_error) {
        failure = failure.why(finding.message.clone());
        steps.extend(finding.help.as_deref().filter(|help| !steps.contains(help)));
    }
    Some(failure.next(steps.join("\n")))
}

/// The same where what is not granted is to be observed: only what no grant could mend is refused.
pub(crate) fn refused_observed(target: &Target, reviewed: &[Reviewed]) -> Option<Box<Failure>> {
    let is_mendable = |one: &Reviewed| {
        let errors = one.checked.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        errors == one.checked.imports.iter().filter(|import| import.access == check::Access::Missing).count()
    };
    links(target).err().or_else(|| refusal(reviewed.iter().filter(|one| !is_mendable(one))))
}

/// Where in the manifest a finding leads: to the grant that it is about, else to the component.
pub(crate) fn position(target: &Target, name: &ComponentName, finding: &Finding) -> Option<Position> {
    let file = target.file.as_ref()?;
    let spans = &target.manifest.components.get(name)?.spans;
    let span = finding.capability.and_then(|capability| spans.grant.get(&capability)).unwrap_or(&spans.name);
    Some(Position::of(&file.text, span.start))
}

fn unreadable(target: &Target, component: (&ComponentName, &Component), error: &ReadError) -> Box<Failure> {
    let (name, component) = component;
    match &error.kind {
        ReadErrorKind::Io(io) if io.kind() == ErrorKind::NotFound => {
            let help = match &component.build {
                Some(_) => "run `cumulet build`; if that succeeds, correct `source`: it must name what the build makes",
                None => "build the component, or correct `source`",
            };
            let message = format!("there is no file {}", error.path.display());
            let problem = Problem::new(component.spans.source.clone(), message).with_help(help);
            target.problem(format!("the component `{name}` is not there"), problem)
        }
        ReadErrorKind::Io(io) => Failure::new(Exit::FAILED, format!("cannot read the component `{name}`"))
            .at(&error.path)
            .because(io)
            .next("look at the file's permissions"),
        ReadErrorKind::Program(program) => {
            Failure::new(Exit::INVALID, format!("the component `{name}` cannot be served"))
                .at(&error.path)
                .because(program)
                .next("build it for `wasm32-wasip2`, or make a component of it with `cumulet componentize`")
        }
        ReadErrorKind::Invalid(invalid) => {
            Failure::new(Exit::INVALID, format!("the component `{name}` is not valid WebAssembly"))
                .at(&error.path)
                .because(invalid)
                .next(match invalid {
                    InspectError::Empty | InspectError::Truncated { .. } | InspectError::Corrupt { .. } => {
                        "build it again, or copy it again from where it is whole"
                    }
                    InspectError::NotWasm { .. } => "name a WebAssembly component, in the binary or the text format",
                    InspectError::Text { .. } => "correct the text",
                })
        }
    }
}
