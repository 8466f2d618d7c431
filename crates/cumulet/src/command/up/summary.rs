//! What is served, in a few lines for the person who started it.

use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::manifest::Manifest;

/// One line for each route, then one for each component with grants.
pub(super) fn lines(manifest: &Manifest) -> Vec<String> {
    let routes = manifest.http.iter().map(|route| {
        let host = route.host.as_deref().unwrap_or_default();
        let methods: Vec<&str> = route.methods.iter().map(http_method).collect();
        let methods = if methods.is_empty() { String::new() } else { format!("{} ", methods.join("|")) };
        format!("route   {methods}{host}{} -> {}", route.pattern, route.component)
    });
    let grants = manifest.components.iter().filter_map(|(name, component)| {
        let granted = granted(&component.grants);
        (!granted.is_empty()).then(|| format!("grants  {name}: {granted}"))
    });
    routes.chain(grants).collect()
}

fn http_method(method: &http::Method) -> &str {
    method.as_str()
}

/// The capabilities that are granted, without the values.
fn granted(grants: &Grants) -> String {
    let labels: Vec<&str> =
        Capability::ALL.into_iter().filter(|capability| grants.has(*capability)).map(Capability::label).collect();
    labels.join(", ")
}
