//! Where something is on a node.

use std::fmt;

use cumulet_spec::id::{AppName, Digest, TenantId};
use reqwest::Url;

/// The version of the API, with which every path begins.
const VERSION: &str = "v1";

/// A path below the node's URL, and what is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
}

impl Resource {
    /// What is at a path, such as `["tenants", "acme"]`.
    pub(crate) fn new<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self { path: path.into_iter().map(str::to_owned).collect(), query: Vec::new() }
    }

    /// The apps of a tenant.
    pub(crate) fn apps(tenant: &TenantId) -> Self {
        Self::new(["tenants", tenant.as_str(), "apps"])
    }

    /// An app.
    pub(crate) fn app(tenant: &TenantId, app: &AppName) -> Self {
        Self::apps(tenant).then(app.as_str())
    }

    /// What apps used.
    pub(crate) fn usage() -> Self {
        Self::new(["usage"])
    }

    /// The bytes of a component.
    pub(crate) fn blob(tenant: &TenantId, digest: &Digest) -> Self {
        Self::new(["tenants", tenant.as_str(), "blobs"]).then(&digest.to_string())
    }

    /// What is below it by this name.
    pub(crate) fn then(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }

    /// The same, asked more closely.
    pub(crate) fn asking(&self, name: &'static str, value: impl fmt::Display) -> Self {
        let mut closer = self.clone();
        closer.query.push((name, value.to_string()));
        closer
    }

    /// Its URL on a node.
    pub(super) fn url(&self, node: &Url) -> Url {
        let mut url = node.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(VERSION).extend(&self.path);
        }
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_names() {
        let app = Resource::app(&TenantId::local(), &AppName::parse("shop").unwrap());
        let odd = Resource::new(["tokens", "../a?b"]).asking("after", "x&y=z");
        for (node, resource, expect) in [
            ("http://127.0.0.1:3001", &app, "http://127.0.0.1:3001/v1/tenants/local/apps/shop"),
            ("https://edge.example/admin/", &app, "https://edge.example/admin/v1/tenants/local/apps/shop"),
            ("http://[::1]:1/", &odd, "http://[::1]:1/v1/tokens/..%2Fa%3Fb?after=x%26y%3Dz"),
        ] {
            assert_eq!(resource.url(&Url::parse(node).unwrap()).as_str(), expect);
        }
    }
}
