//! Reads `[default]` and `[tenant.NAME]`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{NodeLimits, Share, Tenant, quota, signing, value};
use crate::document::{Findings, Problem, Section, Value};
use crate::id::{AppName, TenantId};
use crate::quota::{Quota, Weight};
use crate::route::parse_route_host;

/// What the whole node has, against which tenants are held.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) limits: NodeLimits,
    pub(super) domain: &'a str,
}

/// What tenants get that are not named.
pub(super) fn read_default(root: &Section<'_, '_>, whole: Whole<'_>, findings: &mut Findings) -> Share {
    let Some(section) =
        root.get("default").and_then(|value| findings.section(value, "default", "a table of limits, `[default]`"))
    else {
        return Share::default();
    };
    section.check_keys(&quota::keys(&["weight"]), findings);
    read_share(&section, whole, findings)
}

pub(super) fn read(root: &Section<'_, '_>, whole: Whole<'_>, findings: &mut Findings) -> BTreeMap<TenantId, Tenant> {
    let Some(section) =
        root.get("tenant").and_then(|value| findings.section(value, "tenant", "a table of tenants, `[tenant.acme]`"))
    else {
        return BTreeMap::new();
    };
    let mut tenants = BTreeMap::new();
    let mut hosts = BTreeMap::new();
    for (key, value) in section.table.iter() {
        let Some(name) = parsed_key(TenantId::parse(key.get_ref()), key.span(), findings) else { continue };
        let expected = "a table, such as `{ weight = 200 }`";
        let Some(section) = findings.section(value, &format!("tenant.{name}"), expected) else { continue };
        section.check_keys(&quota::keys(&["weight", "hosts", "keys", "signatures", "app"]), findings);
        let share = read_share(&section, whole, findings);
        let (keys, signatures) = signing::read(&section, findings);
        let tenant = Tenant {
            share,
            keys,
            signatures,
            hosts: read_hosts(&section, (&name, whole.domain), &mut hosts, findings),
            apps: read_apps(&section, &share.quota, whole.limits.slice, findings),
        };
        tenants.insert(name, tenant);
    }
    tenants
}

fn parsed_key<T, E: ToString>(
    parsed: Result<T, E>,
    span: std::ops::Range<usize>,
    findings: &mut Findings,
) -> Option<T> {
    parsed.map_err(|error| findings.problem(Problem::new(span, error.to_string()))).ok()
}

fn read_share(section: &Section<'_, '_>, whole: Whole<'_>, findings: &mut Findings) -> Share {
    let weight = value::count(section, "weight", Weight::MAX, findings);
    let quota = quota::read(section, findings);
    quota::check_slices(section, &quota, whole.limits.slice, findings);
    if let (Some(own), Some(node)) = (quota.loaded, whole.limits.loaded)
        && own > node
    {
        let message = format!("{} is more than the node has ({node}), so it is never reached", section.named("loaded"));
        findings.warn(Problem::new(section.value_span("loaded"), message));
    }
    Share { weight: weight.and_then(|weight| Weight::new(weight).ok()).unwrap_or_default(), quota }
}

fn read_apps(
    tenant: &Section<'_, '_>,
    above: &Quota,
    slice: Duration,
    findings: &mut Findings,
) -> BTreeMap<AppName, Quota> {
    let Some(section) =
        tenant.get("app").and_then(|value| findings.section(value, &format!("{}.app", tenant.name), "a table of apps"))
    else {
        return BTreeMap::new();
    };
    let mut apps = BTreeMap::new();
    for (key, value) in section.table.iter() {
        let Some(name) = parsed_key(AppName::parse(key.get_ref()), key.span(), findings) else { continue };
        let expected = "a table of limits, such as `{ concurrency = 10 }`";
        let Some(section) = findings.section(value, &format!("{}.{name}", section.name), expected) else { continue };
        section.check_keys(&quota::keys(&[]), findings);
        let quota = quota::read(&section, findings);
        quota::check_within(&section, quota, above, findings);
        quota::check_slices(&section, &quota, slice, findings);
        apps.insert(name, quota);
    }
    apps
}

/// The hosts of a tenant, of which `taken` remembers whose they are.
fn read_hosts(
    section: &Section<'_, '_>,
    (tenant, domain): (&TenantId, &str),
    taken: &mut BTreeMap<String, TenantId>,
    findings: &mut Findings,
) -> Vec<String> {
    let expected = "a list, such as `[\"shop.example.com\"]`";
    let Some(list) = section.get("hosts").and_then(|value| findings.list(value, &section.named("hosts"), expected))
    else {
        return Vec::new();
    };
    let mut hosts = Vec::new();
    for value in list.iter() {
        let Some(host) = read_host(section, value, domain, findings) else { continue };
        match taken.get(&host) {
            None => {
                taken.insert(host.clone(), tenant.clone());
                hosts.push(host);
            }
            Some(other) if other == tenant => {
                findings.warn(Problem::new(value.span(), format!("`{host}` is named twice")));
            }
            Some(other) => {
                let message = format!("`{host}` is granted to `{other}` already");
                let help = "a host belongs to one tenant: remove it from one of them";
                findings.problem(Problem::new(value.span(), message).with_help(help));
            }
        }
    }
    hosts
}

fn read_host(section: &Section<'_, '_>, value: &Value<'_>, domain: &str, findings: &mut Findings) -> Option<String> {
    let named = format!("a host in {}", section.named("hosts"));
    let text = findings.text(value, &named, "text, such as `\"shop.example.com\"`")?;
    let host = findings.parsed(&text, parse_route_host)?;
    let is_own = host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    if is_own {
        let message = format!("`{host}` belongs to the node's own domain `{domain}`");
        let help = "apps answer there by their names; grant hosts of other domains";
        findings.problem(Problem::new(text.span, message).with_help(help));
        return None;
    }
    Some(host)
}
