//! Reads the configuration as a whole.

use std::path::PathBuf;

use super::tenant::{self, Whole};
use super::{NODE_CONFIG_BYTES_MAX, NODE_CONFIG_FORMAT, NodeConfig, NodeConfigError, logs, machine, tls, value};
use crate::document::{self, Findings, Problem, Section, is_known_format};
use crate::grant::is_host_name;
use crate::id::NodeName;

const KEYS: [&str; 13] = [
    "node",
    "name",
    "domain",
    "listen",
    "admin",
    "admin_hosts",
    "data_dir",
    "tls",
    "limit",
    "compile",
    "logs",
    "default",
    "tenant",
];

pub(super) fn parse(text: &str) -> Result<NodeConfig, NodeConfigError> {
    let mut findings = Findings::new("the node's configuration");
    let config = document::read(text, NODE_CONFIG_BYTES_MAX, &mut findings, read_root);
    match config {
        Some(config) if findings.problems.is_empty() => Ok(NodeConfig { warnings: findings.warnings, ..config }),
        _ => Err(NodeConfigError { problems: findings.problems }),
    }
}

fn read_root(root: &Section<'_, '_>, findings: &mut Findings) -> Option<NodeConfig> {
    if !is_known_format(root, "node", NODE_CONFIG_FORMAT, findings) {
        return None;
    }
    root.check_keys(&KEYS, findings);
    let default = NodeConfig::default();
    let domain = read_domain(root, findings).unwrap_or(default.domain);
    let limits = machine::read_limits(root, findings);
    let whole = Whole { limits, domain: &domain };
    let tenants = tenant::read(root, whole, findings);
    let listen = value::address(root, "listen", findings).unwrap_or(default.listen);
    let admin = value::address(root, "admin", findings).unwrap_or(default.admin);
    let config = NodeConfig {
        name: read_name(root, findings).unwrap_or(default.name),
        listen,
        admin,
        admin_hosts: read_admin_hosts(root, findings),
        tls: tls::read(root, [("listen", listen), ("admin", admin)], findings),
        data_dir: read_data_dir(root, findings),
        limits,
        compile: machine::read_compile(root, findings),
        logs: logs::read(root, findings),
        default: tenant::read_default(root, whole, findings),
        tenants,
        domain,
        warnings: Vec::new(),
    };
    if config.listen == config.admin && config.listen.port() != 0 {
        let message = format!("`listen` and `admin` are both {}", config.listen);
        findings.problem(Problem::new(root.value_span("admin"), message).with_help("give the admin a port of its own"));
    }
    Some(config)
}

fn read_name(root: &Section<'_, '_>, findings: &mut Findings) -> Option<NodeName> {
    let text = findings.text(root.get("name")?, "`name`", "text, such as `\"edge-1\"`")?;
    findings.parsed(&text, NodeName::parse)
}

fn read_domain(root: &Section<'_, '_>, findings: &mut Findings) -> Option<String> {
    let expected = "a domain, such as `\"apps.example.com\"`";
    let text = findings.text(root.get("domain")?, "`domain`", expected)?;
    findings.parsed(&text, |text| {
        let is_domain = is_host_name(text);
        is_domain.then(|| text.to_ascii_lowercase()).ok_or_else(|| format!("{text:?} is not {expected}"))
    })
}

fn read_admin_hosts(root: &Section<'_, '_>, findings: &mut Findings) -> Vec<String> {
    let expected = "a list, such as `[\"edge-1.example.com\"]`";
    let list = root.get("admin_hosts").and_then(|value| findings.list(value, "`admin_hosts`", expected));
    let mut hosts = Vec::new();
    for value in list.into_iter().flat_map(|list| list.iter()) {
        let expected = "a host without its port, such as `\"edge-1.example.com\"`";
        let Some(text) = findings.text(value, "a host in `admin_hosts`", expected) else { continue };
        let host = findings.parsed(&text, |text| {
            is_host_name(text).then(|| text.to_ascii_lowercase()).ok_or_else(|| format!("{text:?} is not {expected}"))
        });
        hosts.extend(host);
    }
    if hosts.len() > NodeConfig::ADMIN_HOSTS_MAX {
        let message = format!("`admin_hosts` has more than {} entries", NodeConfig::ADMIN_HOSTS_MAX);
        findings.problem(Problem::new(root.value_span("admin_hosts"), message));
    }
    hosts
}

fn read_data_dir(root: &Section<'_, '_>, findings: &mut Findings) -> Option<PathBuf> {
    let text = findings.filled(root.get("data_dir")?, "`data_dir`", "a folder, such as `\"/var/lib/cumulet\"`")?;
    Some(PathBuf::from(text.text))
}
