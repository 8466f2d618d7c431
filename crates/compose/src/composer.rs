//! The composition: members renamed, links set, the whole written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cumulet_spec::id::ComponentName;
use cumulet_spec::member::{MEMBERS_MAX, is_reserved};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeError, EncodeOptions, NodeId};

use crate::inspect::{import_names, to_binary, validate_shape};
use crate::link::{self, End, link_of, short};
use crate::problem::{ComposeError, Problem, ProblemKind};
use crate::rename::{RenameError, rename};

/// The exports of the first member that a trigger can lead to, and that the composition has as well.
const ENTRIES: [&str; 3] = ["wasi:http/incoming-handler", "wasi:http/handler", "wasi:cli/run"];

/// One component of a composition.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its name in the manifest.
    pub name: &'a ComponentName,
    /// Its bytes, in the binary or the text format.
    pub bytes: &'a [u8],
    /// Which of its imports others serve.
    pub link: &'a BTreeMap<String, ComponentName>,
}

/// Makes one component of several. The first is the one that triggers lead to; a member's place in the list is its
/// number in the names of what it imports.
///
/// The same members give the same bytes. Blocks for longer the larger they are.
///
/// # Errors
/// With all that does not fit.
pub fn compose(members: &[Member<'_>]) -> Result<Vec<u8>, ComposeError> {
    guarded(members, |composer| composer.write())
}

/// Whether several components can be made into one, with all that does not fit.
///
/// # Errors
/// As [`compose`].
pub fn check(members: &[Member<'_>]) -> Result<(), ComposeError> {
    compose(members).map(drop)
}

/// The library was not written for hostile bytes: where it panics, the components are refused.
fn guarded<T>(
    members: &[Member<'_>],
    work: impl FnOnce(Composer<'_>) -> Result<T, Vec<Problem>>,
) -> Result<T, ComposeError> {
    let Some(entry) = members.first() else { return Err(ComposeError { problems: Vec::new() }) };
    let composed = catch_unwind(AssertUnwindSafe(|| Composer::read(members).and_then(work)));
    let broken =
        |_panic| Err(vec![about(entry.name, ProblemKind::Whole { message: "the composer broke on it".into() })]);
    composed.unwrap_or_else(broken).map_err(|problems| ComposeError { problems })
}

/// The members, read.
struct Composer<'a> {
    graph: CompositionGraph,
    members: Vec<(Member<'a>, End<'a>, NodeId)>,
}

/// An import that an export answers.
struct Argument<'a> {
    instance: NodeId,
    import: String,
    source: NodeId,
    export: String,
    /// Whose link it is, and its key.
    name: &'a ComponentName,
    key: &'a String,
}

impl<'a> Composer<'a> {
    fn read(members: &[Member<'a>]) -> Result<Self, Vec<Problem>> {
        let mut composer = Self { graph: CompositionGraph::new(), members: Vec::new() };
        let mut problems = Vec::new();
        if let (Some(entry), true) = (members.first(), members.len() > MEMBERS_MAX) {
            return Err(vec![about(entry.name, ProblemKind::TooMany { found: members.len() })]);
        }
        for (place, member) in members.iter().enumerate() {
            if let Err(kind) = composer.add(place, member) {
                problems.push(about(member.name, kind));
            }
        }
        if problems.is_empty() { Ok(composer) } else { Err(problems) }
    }

    fn add(&mut self, place: usize, member: &Member<'a>) -> Result<(), ProblemKind> {
        let invalid = |message: String| ProblemKind::Invalid { component: member.name.clone(), message };
        let bytes: Cow<'_, [u8]> = to_binary(member.bytes).map_err(invalid)?;
        let imports = import_names(&bytes).map_err(|error| invalid(error.to_string()))?;
        let Some(imports) = imports else { return Err(ProblemKind::Module(member.name.clone())) };
        if let Some(import) = imports.into_iter().find(|import| is_reserved(import)) {
            return Err(ProblemKind::Reserved { component: member.name.clone(), import });
        }
        validate_shape(&bytes).map_err(|error| invalid(error.to_string()))?;
        let renamed = rename(&bytes, place, |import| link_of(member.link, import).is_some());
        let renamed = renamed.map_err(|error| match error {
            RenameError::Malformed(error) => invalid(error.to_string()),
            other @ (RenameError::Attributes(_) | RenameError::TooLong) => {
                ProblemKind::Unnameable { component: member.name.clone(), message: other.to_string() }
            }
        })?;
        // Names must still be what they may be, and no two the same.
        validate_shape(&renamed)
            .map_err(|error| ProblemKind::Unnameable { component: member.name.clone(), message: error.to_string() })?;
        let package = Package::from_bytes(&format!("member{place}:component"), None, renamed, self.graph.types_mut());
        let package = package.map_err(|error| invalid(format!("{error:#}")))?;
        let world = package.ty();
        let package = self.graph.register_package(package).map_err(|error| invalid(error.to_string()))?;
        let instance = self.graph.instantiate(package);
        self.graph.set_node_name(instance, member.name.as_str());
        self.members.push((*member, End { name: member.name, world }, instance));
        Ok(())
    }

    fn write(mut self) -> Result<Vec<u8>, Vec<Problem>> {
        self.link()?;
        let Some((entry, end, instance)) = self.members.first().copied() else { return Err(Vec::new()) };
        let whole = |message: String| vec![about(entry.name, ProblemKind::Whole { message })];
        let exports = self.graph.types()[end.world].exports.keys();
        let is_entry = |name: &&String| ENTRIES.contains(&name.split('@').next().unwrap_or_default());
        let exports: Vec<String> = exports.filter(is_entry).cloned().collect();
        for name in exports {
            let node = self.graph.alias_instance_export(instance, &name).map_err(|error| whole(error.to_string()))?;
            self.graph.export(node, name).map_err(|error| whole(error.to_string()))?;
        }
        // Bodies of functions are left to the compiler.
        let options = EncodeOptions { define_components: true, validate: false, processor: None };
        let composed = self.graph.encode(options).map_err(|error| vec![self.unwritten(entry.name, &error)])?;
        validate_shape(&composed).map_err(|error| whole(error.message().to_owned()))?;
        Ok(composed)
    }

    /// Sets all links, and tells of all that do not fit.
    fn link(&mut self) -> Result<(), Vec<Problem>> {
        let (mut problems, mut arguments) = (Vec::new(), Vec::new());
        for member in &self.members {
            for (key, target) in member.0.link {
                match self.arguments(member, (key, target)) {
                    Ok(found) => arguments.extend(found),
                    Err(kind) => problems.push(at(member.0.name, key, kind)),
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        for Argument { instance, import, source, export, name, key } in arguments {
            let fail = |message: String| vec![at(name, key, ProblemKind::Whole { message })];
            let node = self.graph.alias_instance_export(source, &export).map_err(|error| fail(error.to_string()))?;
            let set = self.graph.set_instantiation_argument(instance, &import, node);
            set.map_err(|error| fail(error.to_string()))?;
        }
        Ok(())
    }

    /// What one link comes to: an argument for each import that it is about.
    fn arguments(
        &self,
        (member, importer, instance): &(Member<'a>, End<'a>, NodeId),
        (key, target): (&'a String, &ComponentName),
    ) -> Result<Vec<Argument<'a>>, ProblemKind> {
        let found = self.members.iter().find(|(other, ..)| other.name == target);
        // That there is one was checked where the link was read.
        let Some((_, exporter, source)) = found else { return Ok(Vec::new()) };
        let types = self.graph.types();
        let imports = link::imports(types, *importer, key)?.into_iter();
        let argument = |import: &str| {
            let export = link::export(types, (*importer, import), *exporter)?.to_owned();
            let (import, name) = (import.to_owned(), member.name);
            Ok(Argument { instance: *instance, import, source: *source, export, name, key })
        };
        imports.map(argument).collect()
    }

    fn unwritten(&self, entry: &ComponentName, error: &EncodeError) -> Problem {
        let name_of = |node: &NodeId| {
            let member = self.members.iter().find(|(_, _, instance)| instance == node);
            member.map_or(entry, |(member, ..)| member.name).clone()
        };
        match error {
            EncodeError::ImportTypeMergeConflict { import, first, second, source } => {
                let (first, second) = (name_of(first), name_of(second));
                let difference = short(&format!("{source:#}"));
                about(&second.clone(), ProblemKind::Imports { first, second, import: import.clone(), difference })
            }
            other => about(entry, ProblemKind::Whole { message: other.to_string() }),
        }
    }
}

fn about(component: &ComponentName, kind: ProblemKind) -> Problem {
    Problem { component: component.clone(), link: None, kind }
}

fn at(component: &ComponentName, link: &str, kind: ProblemKind) -> Problem {
    Problem { component: component.clone(), link: Some(link.to_owned()), kind }
}

#[cfg(test)]
mod tests;
