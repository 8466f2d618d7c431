//! Reads `[component.NAME]`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::app::Names;
use super::component::{Build, Component, ComponentSpans, Reuse};
use super::{COMPONENTS_MAX, grant, limit, link, source};
use crate::document::Problem;
use crate::document::{Findings, Section, Value};
use crate::id::ComponentName;

/// The components that could be read, and the names of all.
pub(super) fn read(root: &Section<'_, '_>, findings: &mut Findings) -> (Names, BTreeMap<ComponentName, Component>) {
    let mut names = Names::new();
    let mut components = BTreeMap::new();
    let Some(section) = root
        .require("component", "[component.front]` with `source = \"front.wasm\"", findings)
        .and_then(|value| findings.section(value, "component", "a table of components, `[component.front]`"))
    else {
        return (names, components);
    };
    if section.table.is_empty() {
        let help = "add `[component.front]` with `source = \"front.wasm\"`";
        findings.problem(Problem::new(section.span.clone(), "the manifest has no component").with_help(help));
    }
    if section.table.len() > COMPONENTS_MAX {
        let message = format!("the manifest has more than {COMPONENTS_MAX} components");
        findings.problem(Problem::new(section.span.clone(), message));
    }
    for (key, value) in section.table.iter().take(COMPONENTS_MAX) {
        let name = match ComponentName::parse(key.get_ref()) {
            Ok(name) => name,
            Err(error) => {
                findings.problem(Problem::new(key.span(), error.to_string()));
                continue;
            }
        };
        names.insert(name.clone(), key.span());
        if let Some(mut component) = read_component(&name, value, findings) {
            component.spans.name = key.span();
            components.insert(name, component);
        }
    }
    (names, components)
}

fn read_component(name: &ComponentName, value: &Value<'_>, findings: &mut Findings) -> Option<Component> {
    let expected = "a table, such as `{ source = \"front.wasm\" }`";
    let section = findings.section(value, &format!("component.{name}"), expected)?;
    section.check_keys(&["source", "build", "grant", "limit", "link", "reuse", "snapshot"], findings);
    let build = section.get("build").and_then(|value| read_build(&section, value, findings));
    let (grants, grant_spans) = grant::read(&section, findings);
    let limits = limit::read(&section, findings);
    let (link, link_spans) = link::read(&section, findings);
    let reuse = section.get("reuse").and_then(|value| read_reuse(&section, value, findings));
    let snapshot = section.get("snapshot").and_then(|value| findings.flag(value, &section.named("snapshot")));
    let spans = ComponentSpans {
        name: section.span.clone(),
        source: section.get("source").map(Value::span).unwrap_or_default(),
        build: section.get("build").map(Value::span).unwrap_or_default(),
        grant: grant_spans,
        link: link_spans,
        snapshot: section.get("snapshot").map(Value::span).unwrap_or_default(),
    };
    let source = section.require("source", "source = \"front.wasm\"", findings)?;
    let source = source::read(&section, source, findings)?;
    Some(Component { source, build, grants, limits, link, reuse, snapshot: snapshot.unwrap_or(true), spans })
}

fn read_build(parent: &Section<'_, '_>, value: &Value<'_>, findings: &mut Findings) -> Option<Build> {
    let expected = "a table, such as `{ command = \"cargo build\" }`";
    let section = findings.section(value, &format!("{}.build", parent.name), expected)?;
    section.check_keys(&["command", "dir", "watch"], findings);
    let dir = section
        .get("dir")
        .and_then(|value| findings.filled(value, &section.named("dir"), "a folder, such as `\".\"`"))
        .map_or_else(|| PathBuf::from("."), |dir| PathBuf::from(dir.text));
    let watch = section.get("watch").map(|value| read_watch(&section, value, findings));
    let command = section.require("command", "command = \"cargo build\"", findings)?;
    let command = findings.filled(command, &section.named("command"), "text, such as `\"cargo build\"`")?;
    Some(Build { command: command.text.to_owned(), dir, watch: watch.unwrap_or_default() })
}

fn read_watch(section: &Section<'_, '_>, value: &Value<'_>, findings: &mut Findings) -> Vec<String> {
    let name = section.named("watch");
    let Some(list) = findings.list(value, &name, "a list of patterns, such as `[\"src/**/*.rs\"]`") else {
        return Vec::new();
    };
    let pattern = |value| findings.filled(value, &format!("a pattern of {name}"), "text, such as `\"src/**/*.rs\"`");
    list.iter().filter_map(pattern).map(|pattern| pattern.text.to_owned()).collect()
}

fn read_reuse(parent: &Section<'_, '_>, value: &Value<'_>, findings: &mut Findings) -> Option<Reuse> {
    let expected = "a table, such as `{ requests = 128 }`";
    let section = findings.section(value, &format!("{}.reuse", parent.name), expected)?;
    section.check_keys(&["requests", "concurrent"], findings);
    let concurrent = match section.get("concurrent") {
        Some(value) => findings.count(value, &section.named("concurrent"), Reuse::CONCURRENT_MAX),
        None => Some(1),
    };
    let requests = section.require("requests", "requests = 128", findings)?;
    let requests = findings.count(requests, &section.named("requests"), Reuse::REQUESTS_MAX);
    let reuse = Reuse { requests: requests?, concurrent: concurrent? };
    if reuse.concurrent > reuse.requests {
        let message = format!("{} is above `requests`, so it cannot be reached", section.named("concurrent"));
        findings.problem(
            Problem::new(section.key_span("concurrent"), message)
                .with_help(format!("`requests = {}` or more", reuse.concurrent)),
        );
    }
    Some(reuse)
}
