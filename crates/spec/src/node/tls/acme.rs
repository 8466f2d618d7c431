//! The section `[tls.acme]`: who is asked for certificates, and for which hosts.

use std::path::PathBuf;

use super::parse_host;
use crate::document::{Findings, Problem, Section};

/// Whom a node asks for certificates, and for which hosts (RFC 8555).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// The server's directory, an `https` URL.
    pub directory: String,
    /// Whom the server may write to, `mailto:` URLs.
    pub contact: Vec<String>,
    /// Root certificates of the server itself, in PEM, beside the system's; relative to the configuration.
    pub roots: Option<PathBuf>,
    /// How it is shown that a host is this node's.
    pub challenge: AcmeChallenge,
    /// The hosts, in lower case; each gets a certificate of its own.
    pub hosts: Vec<String>,
}

/// How it is shown that a host is this node's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AcmeChallenge {
    /// By a certificate for the occasion, on port 443 (RFC 8737).
    #[default]
    TlsAlpn01,
    /// By a file for the occasion, on port 80 (RFC 8555, 8.3).
    Http01,
}

impl Acme {
    /// Let's Encrypt.
    pub const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";
    /// The most hosts that a node asks certificates for.
    pub const HOSTS_MAX: usize = 256;
    /// The most contacts.
    pub const CONTACTS_MAX: usize = 8;
}

impl AcmeChallenge {
    /// Both.
    pub const ALL: [Self; 2] = [Self::TlsAlpn01, Self::Http01];

    /// The challenge's name, as in RFC 8555.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Http01 => "http-01",
        }
    }
}

pub(super) fn read(tls: &Section<'_, '_>, findings: &mut Findings) -> Option<Acme> {
    let section = findings.section(tls.get("acme")?, "tls.acme", "a table, `[tls.acme]`")?;
    section.check_keys(&["directory", "contact", "terms_agreed", "roots", "challenge", "hosts"], findings);
    read_terms(&section, findings);
    let roots = section.get("roots").and_then(|value| {
        findings.filled(value, &section.named("roots"), "a file of certificates, such as `\"roots.pem\"`")
    });
    let acme = Acme {
        directory: read_directory(&section, findings).unwrap_or_else(|| Acme::DIRECTORY.to_owned()),
        contact: read_contact(&section, findings),
        roots: roots.map(|text| PathBuf::from(text.text)),
        challenge: read_challenge(&section, findings).unwrap_or_default(),
        hosts: read_hosts(&section, findings),
    };
    Some(acme)
}

/// Nobody agrees to terms by leaving a line out.
fn read_terms(section: &Section<'_, '_>, findings: &mut Findings) {
    let Some(value) = section.require("terms_agreed", "terms_agreed = true", findings) else { return };
    if findings.flag(value, &section.named("terms_agreed")) == Some(false) {
        let message = "no certificate is given to who does not agree to the terms of the ACME server";
        let help = "read them, and write `terms_agreed = true`; or remove `[tls.acme]`";
        findings.problem(Problem::new(value.span(), message).with_help(help));
    }
}

fn read_directory(section: &Section<'_, '_>, findings: &mut Findings) -> Option<String> {
    let expected = format!("a URL, such as `\"{}\"`", Acme::DIRECTORY);
    let text = findings.filled(section.get("directory")?, &section.named("directory"), &expected)?;
    findings.parsed(&text, |text| {
        let uri =
            text.parse::<http::Uri>().ok().filter(|uri| uri.scheme_str() == Some("https") && uri.host().is_some());
        uri.map(|_uri| text.to_owned()).ok_or_else(|| format!("{text:?} is not {expected}: it must be `https`"))
    })
}

fn read_challenge(section: &Section<'_, '_>, findings: &mut Findings) -> Option<AcmeChallenge> {
    let expected = "`\"tls-alpn-01\"` or `\"http-01\"`";
    let name = section.named("challenge");
    let text = findings.text(section.get("challenge")?, &name, expected)?;
    findings.parsed(&text, |text| {
        let known = AcmeChallenge::ALL.into_iter().find(|challenge| challenge.label() == text);
        known.ok_or_else(|| format!("{name} must be {expected}, not {text:?}"))
    })
}

fn read_contact(section: &Section<'_, '_>, findings: &mut Findings) -> Vec<String> {
    let expected = "a list, such as `[\"mailto:ops@example.org\"]`";
    let list = section.get("contact").and_then(|value| findings.list(value, &section.named("contact"), expected));
    let Some(list) = list else { return Vec::new() };
    if list.len() > Acme::CONTACTS_MAX {
        let message = format!("{} has more than {} entries", section.named("contact"), Acme::CONTACTS_MAX);
        findings.problem(Problem::new(section.value_span("contact"), message));
    }
    let name = format!("an entry of {}", section.named("contact"));
    let mut contacts = Vec::new();
    for value in list.iter() {
        let Some(text) = findings.text(value, &name, "text, such as `\"mailto:ops@example.org\"`") else { continue };
        let contact = findings.parsed(&text, |text| {
            let address = text.strip_prefix("mailto:").and_then(|address| address.split_once('@'));
            let is_address = address.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
            is_address
                .then(|| text.to_owned())
                .ok_or_else(|| format!("{text:?} is not a contact: write an address, such as `mailto:ops@example.org`"))
        });
        contacts.extend(contact);
    }
    contacts
}

fn read_hosts(section: &Section<'_, '_>, findings: &mut Findings) -> Vec<String> {
    let example = "hosts = [\"apps.example.com\"]";
    let Some(value) = section.require("hosts", example, findings) else { return Vec::new() };
    let Some(list) = findings.list(value, &section.named("hosts"), "a list, such as `[\"apps.example.com\"]`") else {
        return Vec::new();
    };
    if list.is_empty() || list.len() > Acme::HOSTS_MAX {
        let message = format!("{} must have from 1 to {} hosts", section.named("hosts"), Acme::HOSTS_MAX);
        findings.problem(Problem::new(value.span(), message));
    }
    let name = format!("a host in {}", section.named("hosts"));
    let mut hosts: Vec<String> = Vec::new();
    for value in list.iter() {
        let Some(text) = findings.text(value, &name, "text, such as `\"apps.example.com\"`") else { continue };
        if text.text.starts_with("*.") {
            let message = format!("no challenge shows that `{}` is this node's", text.text);
            let help = "name each host, or give a certificate from files in `[[tls.certificate]]`";
            findings.problem(Problem::new(text.span, message).with_help(help));
            continue;
        }
        let Some(host) = findings.parsed(&text, parse_host) else { continue };
        if hosts.contains(&host) {
            findings.warn(Problem::new(text.span, format!("`{host}` is named twice")));
        } else {
            hosts.push(host);
        }
    }
    hosts
}
