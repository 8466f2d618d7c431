//! Reads `[component.NAME.link]` and checks that links lead somewhere and never in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::app::Names;
use super::component::Component;
use crate::document::Problem;
use crate::document::{Findings, Section, list_of, nearest};
use crate::id::ComponentName;

/// The links, and where the key of each stands.
pub(super) type Links = (BTreeMap<String, ComponentName>, BTreeMap<String, Range<usize>>);

const EXPECTED: &str = "a table from imports to components, such as `{ \"acme:auth/verify\" = \"auth\" }`";

pub(super) fn read(parent: &Section<'_, '_>, findings: &mut Findings) -> Links {
    let mut links = Links::default();
    let Some(section) =
        parent.get("link").and_then(|value| findings.section(value, &format!("{}.link", parent.name), EXPECTED))
    else {
        return links;
    };
    for (key, value) in section.table.iter() {
        let import = key.get_ref().as_ref();
        if import.trim().is_empty() {
            let help = "name an import, for example `\"acme:auth/verify\"`";
            findings.problem(Problem::new(key.span(), "the name of the import is empty").with_help(help));
        }
        let Some(text) = findings.text(value, &section.named(import), "the name of a component") else {
            continue;
        };
        if let Some(target) = findings.parsed(&text, ComponentName::parse) {
            links.0.insert(import.to_owned(), target);
            links.1.insert(import.to_owned(), key.span());
        }
    }
    links
}

/// Every link must lead to a component, and following links must end.
pub(super) fn check(components: &BTreeMap<ComponentName, Component>, names: &Names, findings: &mut Findings) {
    for (name, component) in components {
        for (import, target) in &component.link {
            let span = component.spans.link.get(import).cloned().unwrap_or_default();
            if !names.contains_key(target) {
                findings.problem(unknown_component(target.as_str(), span, names));
            } else if let Some(path) = circle(components, name, target) {
                let message = format!("links go in a circle: {}", list_of(path).replace(", ", " → "));
                let help = "a component cannot be served by itself; remove one of these links";
                findings.problem(Problem::new(span, message).with_help(help));
            }
        }
    }
}

/// The problem that no component has this name.
pub(super) fn unknown_component(name: &str, span: Range<usize>, names: &Names) -> Problem {
    let known = || names.keys().map(ComponentName::as_str);
    let problem = Problem::new(span, format!("there is no component `{name}`"));
    match nearest(name, known()) {
        Some(near) => problem.with_help(format!("did you mean `{near}`?")),
        None if names.is_empty() => problem,
        None => problem.with_help(format!("components are {}", list_of(known()))),
    }
}

/// The circle that a link from `start` to `next` closes, found only from the first of its names in order, so that
/// each is reported once.
fn circle<'a>(
    components: &'a BTreeMap<ComponentName, Component>,
    start: &'a ComponentName,
    next: &'a ComponentName,
) -> Option<Vec<&'a str>> {
    let mut path = way_back(components, next, start, &mut BTreeSet::new())?;
    path.push(start.as_str());
    path.reverse();
    Some(path)
}

/// The names from `goal` back to `from`. The number of components bounds the depth.
fn way_back<'a>(
    components: &'a BTreeMap<ComponentName, Component>,
    from: &'a ComponentName,
    goal: &'a ComponentName,
    seen: &mut BTreeSet<&'a ComponentName>,
) -> Option<Vec<&'a str>> {
    if from == goal {
        return Some(vec![goal.as_str()]);
    }
    if from < goal || !seen.insert(from) {
        return None;
    }
    let mut targets = components.get(from)?.link.values();
    let mut path = targets.find_map(|target| way_back(components, target, goal, seen))?;
    path.push(from.as_str());
    Some(path)
}
