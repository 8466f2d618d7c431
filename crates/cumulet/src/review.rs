//! Every component of a target, read and checked against its grants, before anything is compiled.

use std::io::ErrorKind;
use std::path::PathBuf;

use cumulet_node::check::{
    self, Checked, Depth, Finding, InspectError, Inspection, ReadError, ReadErrorKind, Role, Severity,
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
}

/// Reads and checks every component. Blocks.
///
/// # Errors
/// When one cannot be read or is not WebAssembly. What the check finds is no failure yet: see [`refusal`].
pub(crate) fn review(target: &Target, purpose: Purpose) -> Result<Vec<Reviewed>, Box<Failure>> {
    let depth = if purpose == Purpose::Show { Depth::Whole } else { Depth::Shape };
    let mut reviewed = Vec::new();
    for (name, component, path) in target.sources()? {
        let inspection = check::read(&path, depth).map_err(|error| unreadable(target, (name, component), &error))?;
        let routed = target.manifest.http.iter().any(|route| route.component == *name);
        let is_shown_bare = purpose == Purpose::Show && target.file.is_none();
        let role = if routed && !is_shown_bare { Role::Http } else { Role::Untriggered };
        let checked = check::check(component, role, &inspection);
        reviewed.push(Reviewed { name: name.clone(), path, inspection, checked });
    }
    Ok(reviewed)
}

/// The failure of the first component that cannot be served.
pub(crate) fn refusal<'a>(reviewed: impl IntoIterator<Item = &'a Reviewed>) -> Option<Box<Failure>> {
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
pub(crate) fn refusal_observed(reviewed: &[Reviewed]) -> Option<Box<Failure>> {
    let is_mendable = |one: &Reviewed| {
        let errors = one.checked.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        errors == one.checked.imports.iter().filter(|import| import.access == check::Access::Missing).count()
    };
    refusal(reviewed.iter().filter(|one| !is_mendable(one)))
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
