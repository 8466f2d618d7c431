//! An app as a graph: what leads to each component, what it is linked to, and what each was granted.

mod picture;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use clap::ValueEnum;
use cumulet_spec::grant::Capability;
use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::{Component, Manifest};

/// How the graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Lines of text
    Text,
    /// A picture
    Svg,
}

/// The graph of a manifest.
pub(super) fn draw(manifest: &Manifest, format: Format) -> String {
    match format {
        Format::Text => text(manifest),
        Format::Svg => picture::svg(manifest),
    }
}

/// A route as one line.
fn trigger(route: &cumulet_spec::route::Route) -> String {
    let host = route.host.as_deref().unwrap_or_default();
    let methods: Vec<&str> = route.methods.iter().map(http::Method::as_str).collect();
    let methods = if methods.is_empty() { String::new() } else { format!("{} ", methods.join(" ")) };
    format!("http {methods}{host}{}", route.pattern)
}

/// The grants of a component, a line for each capability.
fn grants(component: &Component) -> Vec<String> {
    let granted = Capability::ALL.into_iter().filter(|capability| component.grants.has(*capability));
    granted.map(|capability| format!("{capability}: {}", component.grants.entries(capability).join(", "))).collect()
}

/// The components that requests of the graph's triggers, and links, never reach.
fn unreached(manifest: &Manifest) -> Vec<&ComponentName> {
    let mut reached: BTreeSet<&ComponentName> = manifest.http.iter().map(|route| &route.component).collect();
    let mut open: Vec<&ComponentName> = reached.iter().copied().collect();
    while let Some(name) = open.pop() {
        let links = manifest.components.get(name).into_iter().flat_map(|component| component.link.values());
        open.extend(links.filter(|target| reached.insert(target)));
    }
    manifest.components.keys().filter(|name| !reached.contains(name)).collect()
}

fn text(manifest: &Manifest) -> String {
    let mut tree = Tree { manifest, text: String::new(), told: BTreeSet::new() };
    for route in &manifest.http {
        tree.text.push_str(&trigger(route));
        tree.text.push('\n');
        tree.branch("", true, ("", &route.component));
    }
    let others = unreached(manifest);
    if !others.is_empty() {
        tree.text.push_str("(no trigger)\n");
    }
    for (place, name) in others.iter().enumerate() {
        tree.branch("", place + 1 == others.len(), ("", name));
    }
    tree.text
}

struct Tree<'a> {
    manifest: &'a Manifest,
    text: String,
    told: BTreeSet<&'a ComponentName>,
}

impl<'a> Tree<'a> {
    /// A component below another, which imports it as `import`. Links form no circle, so this ends.
    fn branch(&mut self, indent: &str, is_last: bool, (import, name): (&str, &'a ComponentName)) {
        let (joint, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let arrow = if import.is_empty() { String::new() } else { format!("{import} → ") };
        let is_new = self.told.insert(name);
        let again = if is_new { "" } else { " (see above)" };
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{indent}{joint}{arrow}{name}{again}");
        let Some(component) = self.manifest.components.get(name).filter(|_| is_new) else { return };
        let indent = format!("{indent}{below}");
        let bar = if component.link.is_empty() { "   " } else { "│  " };
        for grant in grants(component) {
            let _ = writeln!(self.text, "{indent}{bar}{grant}");
        }
        let last = component.link.len();
        for (place, (import, target)) in component.link.iter().enumerate() {
            self.branch(&indent, place + 1 == last, (import, target));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        manifest = 1
        [app]
        name = "shop"
        [component.front]
        source = "front.wasm"
        [component.front.link]
        "acme:auth/verify" = "auth"
        "acme:page/render" = "page"
        [component.front.grant]
        http = ["https://api.example.com"]
        env = { LOG = "info", MODE = "<fast>" }
        [component.auth]
        source = "auth.wasm"
        [component.auth.grant]
        keyvalue = ["users"]
        secret = ["JWT_KEY"]
        [component.page]
        source = "page.wasm"
        [component.page.link]
        "acme:auth/verify@1.0.0" = "auth"
        [component.spare]
        source = "spare.wasm"
        [[trigger.http]]
        route = "/*"
        component = "front"
        [[trigger.http]]
        route = "/login"
        host = "shop.example.com"
        methods = ["POST"]
        component = "auth"
    "#;

    #[test]
    fn as_text() {
        insta::assert_snapshot!(draw(&Manifest::parse(MANIFEST).unwrap(), Format::Text));
    }

    #[test]
    fn as_a_picture() {
        insta::assert_snapshot!(draw(&Manifest::parse(MANIFEST).unwrap(), Format::Svg));
    }
}
