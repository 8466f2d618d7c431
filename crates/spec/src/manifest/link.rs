//! Reads `[component.NAME.link]` and checks that links lead somewhere and never in a circle.

use std::collections::BTreeMap;
use std::ops::Range;

use super::app::Names;
use super::component::Component;
use super::problem::Problem;
use super::read::{Findings, Section, list_of, nearest};
use crate::id::ComponentName;

/// The links, and where the key of each stands.
pub(super) type Links = (BTreeMap<String, ComponentName>, BTreeMap<String, Range<usize>>);

const EXPECTED: &str = "a table from imports to components, such as `{ \"acme:auth/verify\" = \"auth\" }`";

pub(super) fn read(parent: &Section<'_, '_>, findings: &mut Findings) -> Links {
    let mut links = Links::default();
    let Some(section) = parent
        .get("link")
        .and_then(|value| findings.section(value, &format!("{}.link", parent.name), EXPECTED))
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
            } else if let Some(path) = path_back(components, name, target) {
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

/// The circle that a link from `start` to `next` closes, reported only where its first name in order starts it.
fn path_back<'a>(
    components: &'a BTreeMap<ComponentName, Component>,
    start: &'a ComponentName,
    next: &'a ComponentName,
) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&ComponentName, &ComponentName> = BTreeMap::new();
    let mut open = vec![next];
    while let Some(at) = open.pop() {
        if at == start {
            break;
        }
        for target in components.get(at).into_iter().flat_map(|component| component.link.values()) {
            if target != next && !came_from.contains_key(target) {
                came_from.insert(target, at);
                open.push(target);
            }
        }
    }
    if next != start && !came_from.contains_key(start) {
        return None;
    }
    let mut path = vec![start.as_str()];
    let mut at = start;
    while let Some(before) = came_from.get(at).filter(|_| at != next) {
        path.push(before.as_str());
        at = before;
    }
    if at != start {
        path.push(start.as_str());
    } else {
        path = vec![start.as_str(), start.as_str()];
    }
    path.reverse();
    let first_in_order = path.iter().min() == Some(&start.as_str());
    first_in_order.then_some(path)
}
