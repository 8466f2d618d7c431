//! Reads the manifest as a whole: its version, the app, and what stands in several parts of it at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use super::component::Component;
use super::error::ManifestError;
use super::trigger::{self, Triggers};
use super::{App, MANIFEST_BYTES_MAX, MANIFEST_FORMAT, Manifest, component_table, link, probe, rollout};
use crate::document::{self, Findings, Problem, Section, is_known_format};
use crate::id::{AppName, ComponentName};

/// The names of all components that the manifest declares, valid or not otherwise, and where.
pub(super) type Names = BTreeMap<ComponentName, Range<usize>>;

pub(super) fn parse(text: &str) -> Result<Manifest, ManifestError> {
    let mut findings = Findings::new("the manifest");
    let manifest = document::read(text, MANIFEST_BYTES_MAX, &mut findings, read_root);
    match manifest {
        Some(mut manifest) if findings.problems.is_empty() => {
            manifest.warnings = findings.warnings;
            Ok(manifest)
        }
        _ => Err(ManifestError { problems: findings.problems }),
    }
}

fn read_root(root: &Section<'_, '_>, findings: &mut Findings) -> Option<Manifest> {
    if !is_known_format(root, "manifest", MANIFEST_FORMAT, findings) {
        return None;
    }
    root.check_keys(&["manifest", "app", "component", "trigger"], findings);
    let app = read_app(root, findings);
    let (names, components) = component_table::read(root, findings);
    link::check(&components, &names, findings);
    let Triggers { http, reached } = trigger::read(root, &names, findings);
    // Without any trigger the app is commands, and a person reaches them with `cumulet run`.
    if !reached.is_empty() {
        warn_unreached(&components, &reached, findings);
    }
    Some(Manifest { app: app?, components, http, warnings: Vec::new() })
}

fn read_app(root: &Section<'_, '_>, findings: &mut Findings) -> Option<App> {
    let value = root.require("app", "[app]` with `name = \"shop\"", findings)?;
    let section = findings.section(value, "app", "a table, `[app]`")?;
    section.check_keys(&["name", "version", "roots", "probe", "rollout"], findings);
    let version = section
        .get("version")
        .and_then(|value| findings.filled(value, &section.named("version"), "text, such as `\"0.1.0\"`"));
    let roots = read_roots(&section, findings);
    let probe = section.get("probe").and_then(|value| probe::read(value, findings));
    let rollout = section.get("rollout").and_then(|value| rollout::read(value, findings));
    let name = section.require("name", "name = \"shop\"", findings)?;
    let name = findings.text(name, &section.named("name"), "text, such as `\"shop\"`")?;
    let name = findings.parsed(&name, AppName::parse)?;
    Some(App { name, version: version.map(|version| version.text.to_owned()), roots, probe, rollout })
}

fn read_roots(section: &Section<'_, '_>, findings: &mut Findings) -> Vec<PathBuf> {
    let element = "a file of certificates, such as `\"certs/ca.pem\"`";
    let Some(value) = section.get("roots") else { return Vec::new() };
    let Some(list) = findings.list(value, &section.named("roots"), &format!("a list; each element is {element}"))
    else {
        return Vec::new();
    };
    let named = format!("an element of {}", section.named("roots"));
    let paths = list.iter().filter_map(|value| findings.filled(value, &named, element));
    paths.map(|path| PathBuf::from(path.text)).collect()
}

/// A component that nothing reaches never runs: allowed while an app is being written, hardly meant.
fn warn_unreached(components: &BTreeMap<ComponentName, Component>, reached: &[ComponentName], findings: &mut Findings) {
    for (name, component) in components {
        let linked = components.values().any(|other| other.link.values().any(|target| target == name));
        let called = components.values().any(|other| other.grants.calls(name));
        if !linked && !called && !reached.contains(name) {
            findings.warn(
                Problem::new(component.spans.name.clone(), format!("nothing reaches component `{name}`")).with_help(
                    format!("add `[[trigger.http]]` with `component = \"{name}\"`, a link from another component, or a grant of `http://{name}.internal`"),
                ),
            );
        }
    }
}
