//! Which app a host names.

use cumulet_spec::id::{AppId, AppName, TenantId};

/// The longest host that is looked up, in bytes (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// The domain of a node, under which every app has the host `APP.TENANT.DOMAIN`.
#[derive(Clone, Debug)]
pub(crate) struct Domain(String);

impl Domain {
    /// A domain in any case, with or without a dot at its end.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim_end_matches('.').to_ascii_lowercase())
    }

    /// The default host of an app.
    pub(crate) fn host_of(&self, id: &AppId) -> String {
        format!("{}.{}.{}", id.app, id.tenant, self.0)
    }

    /// The app whose default host this is.
    pub(crate) fn app_of(&self, host: &str) -> Option<AppId> {
        let labels = host.strip_suffix(self.0.as_str())?.strip_suffix('.')?;
        let (app, tenant) = labels.split_once('.')?;
        Some(AppId { tenant: TenantId::parse(tenant).ok()?, app: AppName::parse(app).ok()? })
    }
}

/// The host of an authority: without its port and a dot at its end, in lower case; `None` for what no app can have.
/// Nothing is allocated unless it came in upper case.
pub(crate) fn bare(authority: &str) -> Option<std::borrow::Cow<'_, str>> {
    let host = match authority.rfind([':', ']']) {
        Some(place) if authority.as_bytes().get(place) == Some(&b':') => authority.get(..place)?,
        _ => authority,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() || host.len() > HOST_BYTES_MAX {
        return None;
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(host.to_ascii_lowercase().into());
    }
    Some(host.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_host_is_app_tenant_domain() {
        let check = |domain: &str, host: &str, expect: Option<&str>| {
            let found = Domain::new(domain).app_of(host).map(|id| id.to_string());
            assert_eq!(found.as_deref(), expect, "{host} in {domain}");
        };
        check("localhost", "shop.acme.localhost", Some("acme/shop"));
        check("Edge.Example.", "shop.acme.edge.example", Some("acme/shop"));
        for host in ["acme.localhost", "localhost", "a.shop.acme.localhost", "shop.acme.other", "shop.acmelocalhost"] {
            check("localhost", host, None);
        }
        check("localhost", "sh_op.acme.localhost", None);
        check("localhost", ".acme.localhost", None);
    }

    #[test]
    fn a_host_comes_without_port_dot_and_case() {
        let check = |authority: &str, expect: Option<&str>| assert_eq!(bare(authority).as_deref(), expect);
        check("shop.acme.localhost:3000", Some("shop.acme.localhost"));
        check("Shop.Acme.localhost.", Some("shop.acme.localhost"));
        check("[::1]:3000", Some("[::1]"));
        check("[::1]", Some("[::1]"));
        check("", None);
        check(":80", None);
        check(&"x".repeat(254), None);
    }
}
