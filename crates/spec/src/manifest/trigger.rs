//! Reads `[[trigger.http]]`.

use http::Method;

use super::app::Names;
use super::link::unknown_component;
use crate::document::Problem;
use crate::document::{Findings, Section, Value};
use crate::id::ComponentName;
use crate::route::{Route, RoutePattern, conflicts, parse_route_host};

/// What calls the app.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    /// The routes, in the order of the file.
    pub(super) http: Vec<Route>,
    /// The components that triggers name, even those whose trigger has other problems.
    pub(super) reached: Vec<ComponentName>,
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

pub(super) fn read(root: &Section<'_, '_>, names: &Names, findings: &mut Findings) -> Triggers {
    let mut triggers = Triggers::default();
    let Some(section) = root
        .get("trigger")
        .and_then(|value| findings.section(value, "trigger", "a table of triggers, `[[trigger.http]]`"))
    else {
        return triggers;
    };
    section.check_keys(&["http", "schedule"], findings);
    if section.get("schedule").is_some() {
        let help = "remove `[[trigger.schedule]]`, or call the component over HTTP from a scheduler of your own";
        findings.problem(Problem::new(section.key_span("schedule"), "schedules are not available yet").with_help(help));
    }
    let Some(list) = section
        .get("http")
        .and_then(|value| findings.list(value, "`trigger.http`", "a list of tables, `[[trigger.http]]`"))
    else {
        return triggers;
    };
    let mut spans = Vec::new();
    for value in list.iter() {
        let Some(entry) = findings.section(value, "trigger.http", "a table, `[[trigger.http]]`") else {
            continue;
        };
        let component = read_component(&entry, names, findings);
        triggers.reached.extend(component.clone());
        let route = read_route(&entry, findings);
        if let (Some(component), Some((pattern, host, methods))) = (component, route) {
            spans.push(entry.get("route").map(Value::span).unwrap_or_default());
            triggers.http.push(Route { pattern, host, methods, component });
        }
    }
    for conflict in conflicts(&triggers.http) {
        let span = spans.get(conflict.second).cloned().unwrap_or_default();
        findings.problem(
            Problem::new(span, conflict.to_string())
                .with_help("give the routes different methods or hosts, or remove one of them"),
        );
    }
    triggers
}

fn read_component(entry: &Section<'_, '_>, names: &Names, findings: &mut Findings) -> Option<ComponentName> {
    let first = names.keys().next().map_or("front", ComponentName::as_str);
    let value = entry.require("component", &format!("component = \"{first}\""), findings)?;
    let text = findings.text(value, &entry.named("component"), "the name of a component")?;
    let known = names.get_key_value(text.text).map(|(name, _)| name.clone());
    if known.is_none() {
        findings.problem(unknown_component(text.text, text.span, names));
    }
    known
}

type RouteParts = (RoutePattern, Option<String>, Vec<Method>);

fn read_route(entry: &Section<'_, '_>, findings: &mut Findings) -> Option<RouteParts> {
    entry.check_keys(&["route", "component", "host", "methods"], findings);
    let host = entry
        .get("host")
        .and_then(|value| findings.text(value, &entry.named("host"), "text, such as `\"shop.example.com\"`"))
        .and_then(|text| findings.parsed(&text, parse_route_host));
    let methods = entry.get("methods").map(|value| read_methods(entry, value, findings));
    let pattern = entry.require("route", "route = \"/*\"", findings)?;
    let pattern = findings.text(pattern, &entry.named("route"), "text, such as `\"/api/*\"`")?;
    let pattern = findings.parsed(&pattern, RoutePattern::parse)?;
    if entry.get("host").is_some() && host.is_none() {
        return None;
    }
    Some((pattern, host, methods.unwrap_or_default()))
}

fn read_methods(entry: &Section<'_, '_>, value: &Value<'_>, findings: &mut Findings) -> Vec<Method> {
    let name = entry.named("methods");
    let Some(list) = findings.list(value, &name, "a list, such as `[\"GET\", \"HEAD\"]`") else {
        return Vec::new();
    };
    if list.is_empty() {
        let help = "leave it out to take every method";
        findings.problem(Problem::new(value.span(), format!("{name} is empty")).with_help(help));
    }
    let mut methods = Vec::new();
    for value in list.iter() {
        let Some(text) = findings.text(value, &format!("a method of {name}"), "text, such as `\"GET\"`") else {
            continue;
        };
        let upper = text.text.to_ascii_uppercase();
        match Method::from_bytes(text.text.as_bytes()) {
            Ok(method) if METHODS.contains(&upper.as_str()) && upper != text.text => {
                let message = format!("`{method}` is not a method: methods are upper case");
                findings.problem(Problem::new(text.span, message).with_help(format!("write `{upper}`")));
            }
            Ok(method) if methods.contains(&method) => {
                findings.warn(Problem::new(text.span, format!("`{method}` is named twice")));
            }
            Ok(method) => methods.push(method),
            Err(_) => {
                let message = format!("{:?} is not a method", text.text);
                findings.problem(Problem::new(text.span, message).with_help("for example `GET` or `POST`"));
            }
        }
    }
    methods
}
