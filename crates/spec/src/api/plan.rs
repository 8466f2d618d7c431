//! What one revision would change of another.

use std::collections::{BTreeMap, BTreeSet};

use super::{ComponentPlan, GrantLine, LimitPlan, Plan, PlanKind, RoutePlan};
use crate::grant::Capability;
use crate::id::{ComponentName, Digest};
use crate::limit::Limits;
use crate::quantity::format_duration;
use crate::revision::Revision;
use crate::route::Route;

impl Plan {
    /// What `after` would change of what runs: of `before`, or of nothing. `bytes` knows the sizes of components.
    ///
    /// Nothing is said of the generation and of missing bytes, which a revision does not know.
    #[must_use]
    pub fn between(before: Option<&Revision>, after: &Revision, bytes: &BTreeMap<Digest, u64>) -> Self {
        let (was, will) = (before.map(grants).unwrap_or_default(), grants(after));
        let plan = Self {
            changes: false,
            generation: None,
            missing: Vec::new(),
            components: components(before, after, bytes),
            gained: will.difference(&was).cloned().collect(),
            lost: was.difference(&will).cloned().collect(),
            limits: limits(before, after),
            routes: routes(before, after),
        };
        // Values of configuration and names of a version are part of a revision, too, and stand in no list.
        Self { changes: before.is_none_or(|before| before.id() != after.id()), ..plan }
    }
}

/// Everything that its components are granted.
pub(super) fn grants(revision: &Revision) -> BTreeSet<GrantLine> {
    let mut lines = BTreeSet::new();
    for (component, parts) in &revision.components {
        for capability in Capability::ALL {
            let entries = parts.grants.entries(capability).into_iter();
            lines.extend(entries.map(|entry| GrantLine { component: component.clone(), capability, entry }));
        }
        // A folder that may be written to is more than the folder.
        let writable = parts.grants.file.iter().filter(|folder| folder.write);
        lines.extend(writable.map(|folder| GrantLine {
            component: component.clone(),
            capability: Capability::File,
            entry: format!("{} (write)", folder.at),
        }));
    }
    lines
}

fn components(before: Option<&Revision>, after: &Revision, bytes: &BTreeMap<Digest, u64>) -> Vec<ComponentPlan> {
    let digests = |revision: &Revision| -> BTreeMap<ComponentName, Digest> {
        revision.components.iter().map(|(name, parts)| (name.clone(), parts.digest)).collect()
    };
    let (was, will) = (before.map(digests).unwrap_or_default(), digests(after));
    let names: BTreeSet<&ComponentName> = was.keys().chain(will.keys()).collect();
    let plan = |name: &ComponentName| {
        let (was, will) = (was.get(name), will.get(name));
        Some(ComponentPlan {
            component: name.clone(),
            kind: kind(was, will)?,
            bytes_before: was.and_then(|digest| bytes.get(digest)).copied(),
            bytes_after: will.and_then(|digest| bytes.get(digest)).copied(),
        })
    };
    names.into_iter().filter_map(plan).collect()
}

/// What becomes of something; nothing if it stays as it is.
fn kind<T: PartialEq>(was: Option<&T>, will: Option<&T>) -> Option<PlanKind> {
    match (was, will) {
        (None, Some(_)) => Some(PlanKind::New),
        (Some(_), None) => Some(PlanKind::Gone),
        (Some(was), Some(will)) if was != will => Some(PlanKind::Changed),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// The limits of components that are in both.
fn limits(before: Option<&Revision>, after: &Revision) -> Vec<LimitPlan> {
    let mut plans = Vec::new();
    for (component, parts) in &after.components {
        let Some(was) = before.and_then(|before| before.components.get(component)) else { continue };
        for ((limit, before), (_, after)) in texts(&was.limits).into_iter().zip(texts(&parts.limits)) {
            if before != after {
                plans.push(LimitPlan { component: component.clone(), limit: limit.to_owned(), before, after });
            }
        }
    }
    plans
}

fn texts(limits: &Limits) -> [(&'static str, String); 4] {
    [
        ("memory", limits.memory.to_string()),
        ("cpu", format_duration(limits.cpu)),
        ("time", format_duration(limits.time)),
        ("concurrency", limits.concurrency.to_string()),
    ]
}

fn routes(before: Option<&Revision>, after: &Revision) -> Vec<RoutePlan> {
    let texts = |revision: &Revision| revision.routes.iter().map(text).collect::<BTreeSet<String>>();
    let (was, will) = (before.map(texts).unwrap_or_default(), texts(after));
    let plans = |from: &BTreeSet<String>, without: &BTreeSet<String>, kind| {
        from.difference(without).map(|route| RoutePlan { route: route.clone(), kind }).collect::<Vec<_>>()
    };
    let mut all = plans(&was, &will, PlanKind::Gone);
    all.extend(plans(&will, &was, PlanKind::New));
    all
}

/// A route in one line: `GET,HEAD shop.example.com/api/* -> front`.
pub(super) fn text(route: &Route) -> String {
    let methods: Vec<&str> = route.methods.iter().map(http::Method::as_str).collect();
    let methods = if methods.is_empty() { String::new() } else { format!("{} ", methods.join(",")) };
    format!("{methods}{}{} -> {}", route.host.as_deref().unwrap_or_default(), route.pattern, route.component)
}
