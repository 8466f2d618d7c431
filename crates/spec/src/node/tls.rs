//! What a node speaks TLS with, and the section `[tls]` that says so.

mod acme;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::value;
use crate::document::{Findings, Problem, Section, Value};
use crate::grant::is_host_name;

pub use acme::{Acme, AcmeChallenge};

/// The most pairs of files that a node reads certificates from.
pub const TLS_CERTIFICATES_MAX: usize = 10_000;

/// How a node speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Where it serves over TLS.
    pub listen: SocketAddr,
    /// Whether plain requests for a host that has a certificate are sent to it.
    pub redirect: bool,
    /// Whether the operator's listener speaks TLS too, and nothing else, with the same certificates.
    pub admin: bool,
    /// The oldest version that is spoken.
    pub min_version: TlsVersion,
    /// Certificates from files.
    pub certificates: Vec<CertificateFiles>,
    /// Certificates that are asked for.
    pub acme: Option<Acme>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TlsVersion {
    /// RFC 5246.
    #[default]
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// The two files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and those that it is signed with, in PEM; relative to the configuration.
    pub chain: PathBuf,
    /// Its private key, in PEM; relative to the configuration.
    pub key: PathBuf,
    /// Whether it is shown to clients that name no host, or one that no certificate is for. Of one at most.
    pub default: bool,
}

impl TlsVersion {
    /// The version as it is written.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        }
    }
}

/// Reads the section; `taken` are the addresses that other listeners have, with their keys.
pub(super) fn read(root: &Section<'_, '_>, taken: [(&str, SocketAddr); 2], findings: &mut Findings) -> Option<Tls> {
    let section = findings.section(root.get("tls")?, "tls", "a table, `[tls]`")?;
    section.check_keys(&["listen", "redirect", "admin", "min_version", "certificate", "acme"], findings);
    let listen = section
        .require("listen", "listen = \"0.0.0.0:443\"", findings)
        .and_then(|_value| value::address(&section, "listen", findings));
    let mut flag =
        |key: &str| section.get(key).and_then(|value| findings.flag(value, &section.named(key))).unwrap_or(false);
    let (redirect, admin) = (flag("redirect"), flag("admin"));
    let min_version = read_version(&section, findings).unwrap_or_default();
    let certificates = read_certificates(&section, findings);
    let acme = acme::read(&section, findings);
    if section.get("certificate").is_none() && section.get("acme").is_none() {
        let message = "`tls` has no certificate to show";
        let help = "add `[[tls.certificate]]` with `chain` and `key`, or `[tls.acme]`";
        findings.problem(Problem::new(section.span.clone(), message).with_help(help));
    }
    let listen = listen?;
    for (other, address) in taken {
        if address == listen && listen.port() != 0 {
            let message = format!("`{other}` and `listen` in `tls` are both {listen}");
            let help = "TLS and plain HTTP take a port each";
            findings.problem(Problem::new(section.value_span("listen"), message).with_help(help));
        }
    }
    Some(Tls { listen, redirect, admin, min_version, certificates, acme })
}

fn read_version(section: &Section<'_, '_>, findings: &mut Findings) -> Option<TlsVersion> {
    let expected = "`\"1.2\"` or `\"1.3\"`";
    let name = section.named("min_version");
    let text = findings.text(section.get("min_version")?, &name, expected)?;
    findings.parsed(&text, |text| {
        let known = [TlsVersion::Tls12, TlsVersion::Tls13].into_iter().find(|version| version.label() == text);
        known.ok_or_else(|| format!("{name} must be {expected}, not {text:?}"))
    })
}

fn read_certificates(tls: &Section<'_, '_>, findings: &mut Findings) -> Vec<CertificateFiles> {
    let expected = "a list of tables, `[[tls.certificate]]`";
    let Some(list) = tls.get("certificate").and_then(|value| findings.list(value, "`tls.certificate`", expected))
    else {
        return Vec::new();
    };
    if list.len() > TLS_CERTIFICATES_MAX {
        let message = format!("`tls` has more than {TLS_CERTIFICATES_MAX} certificates");
        findings.problem(Problem::new(tls.key_span("certificate"), message));
        return Vec::new();
    }
    let mut found: Vec<CertificateFiles> = Vec::new();
    let mut chains = BTreeSet::new();
    for value in list.iter() {
        let Some(files) = read_certificate(value, findings) else { continue };
        if files.default && found.iter().any(|other| other.default) {
            let message = "a certificate before this one is the default already";
            findings.problem(Problem::new(value.span(), message).with_help("only one can be"));
        }
        if !chains.insert(files.chain.clone()) {
            let message = format!("the chain `{}` is named twice", files.chain.display());
            findings.warn(Problem::new(value.span(), message));
        }
        found.push(files);
    }
    found
}

fn read_certificate(value: &Value<'_>, findings: &mut Findings) -> Option<CertificateFiles> {
    let expected = "a table, such as `{ chain = \"example.org.pem\", key = \"example.org.key\" }`";
    let section = findings.section(value, "tls.certificate", expected)?;
    section.check_keys(&["chain", "key", "default"], findings);
    let mut file = |key: &str, example: &str| {
        let value = section.require(key, &format!("{key} = \"{example}\""), findings)?;
        let text = findings.filled(value, &section.named(key), &format!("a file, such as `\"{example}\"`"))?;
        Some(PathBuf::from(text.text))
    };
    let (chain, key) = (file("chain", "example.org.pem"), file("key", "example.org.key"));
    let default = section.get("default").and_then(|value| findings.flag(value, &section.named("default")));
    Some(CertificateFiles { chain: chain?, key: key?, default: default.unwrap_or(false) })
}

/// A host that a certificate can be asked for: a name with a dot, in lower case.
fn parse_host(text: &str) -> Result<String, String> {
    let is_public = is_host_name(text) && text.contains('.');
    is_public.then(|| text.to_ascii_lowercase()).ok_or_else(|| {
        format!(
            "{text:?} is not a host that a certificate can be asked for: write a full name, such as `apps.example.com`"
        )
    })
}
