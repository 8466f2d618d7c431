//! The certificates that a node has, from wherever they come, and what the operator is told of them.

use cumulet_gateway::{Certificate, Tls};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// A certificate from files.
#[derive(Clone, Debug)]
pub(crate) struct FromFiles {
    pub(crate) certificate: Arc<Certificate>,
    /// Whether it is shown to who names no host, or one that no certificate is for.
    pub(crate) is_default: bool,
}

/// How asking for certificates goes, for one host.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asking {
    /// Attempts that gave a certificate, since the start.
    pub(crate) succeeded: u64,
    /// Attempts that did not, since the start.
    pub(crate) failed: u64,
    /// Attempts that failed since the last success.
    pub(crate) failed_in_a_row: u32,
}

/// All certificates of a node; what is changed here is shown from the next handshake on.
#[derive(Debug)]
pub(crate) struct Shelf {
    tls: Arc<Tls>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    files: Vec<FromFiles>,
    asked_for: BTreeMap<String, Arc<Certificate>>,
    asking: BTreeMap<String, Asking>,
}

impl Shelf {
    pub(crate) fn new(tls: Arc<Tls>) -> Self {
        Self { tls, held: Mutex::default() }
    }

    /// What the listeners speak.
    pub(crate) fn tls(&self) -> &Arc<Tls> {
        &self.tls
    }

    /// What came from files.
    pub(crate) fn files(&self) -> Vec<FromFiles> {
        self.held.lock().files.clone()
    }

    /// Puts these in the place of all that came from files.
    pub(crate) fn put_files(&self, files: &[FromFiles]) {
        let mut held = self.held.lock();
        files.clone_into(&mut held.files);
        self.show(&held);
    }

    /// Puts this in the place of what was there for a host.
    pub(crate) fn put_asked_for(&self, host: &str, certificate: Certificate) {
        let mut held = self.held.lock();
        held.asked_for.insert(host.to_owned(), Arc::new(certificate));
        self.show(&held);
    }

    /// Notes how asking goes for a host.
    pub(crate) fn note(&self, host: &str, asking: Asking) {
        self.held.lock().asking.insert(host.to_owned(), asking);
    }

    /// Files come first: whoever puts one there for a host means it.
    fn show(&self, held: &Held) {
        let files = held.files.iter().map(|file| &file.certificate);
        let all: Vec<_> = files.chain(held.asked_for.values()).cloned().collect();
        let default = held.files.iter().find(|file| file.is_default).map(|file| &file.certificate);
        self.tls.install(&all, default);
    }

    /// Appends what `/metrics` shows of it.
    pub(crate) fn expose(&self, text: &mut String) {
        // Writing to a string does not fail, here and below.
        let mut line = |line: std::fmt::Arguments<'_>| {
            let _written = writeln!(text, "{line}");
        };
        let name = "cumulet_tls_handshakes_total";
        line(format_args!("# HELP {name} TLS handshakes, by how they ended.\n# TYPE {name} counter"));
        for (end, count) in self.tls.counts() {
            line(format_args!("{name}{{end=\"{}\"}} {count}", end.label()));
        }
        let name = "cumulet_tls_handshakes_under_way";
        line(format_args!("# HELP {name} TLS handshakes that are under way.\n# TYPE {name} gauge"));
        line(format_args!("{name} {}", self.tls.under_way()));
        let held = self.held.lock();
        let name = "cumulet_tls_certificate_not_after_seconds";
        line(format_args!(
            "# HELP {name} When a certificate is over, in seconds since 1970; by the first host that it names.\n# TYPE {name} gauge"
        ));
        let files = held.files.iter().map(|file| ("file", &file.certificate));
        for (source, certificate) in files.chain(held.asked_for.values().map(|asked_for| ("acme", asked_for))) {
            let host = certificate.names().first().map_or("", String::as_str);
            line(format_args!("{name}{{host=\"{}\",source=\"{source}\"}} {}", label(host), certificate.not_after()));
        }
        if held.asking.is_empty() {
            return;
        }
        let name = "cumulet_acme_attempts_total";
        line(format_args!("# HELP {name} Attempts to get a certificate.\n# TYPE {name} counter"));
        for (host, asking) in &held.asking {
            line(format_args!("{name}{{host=\"{host}\",result=\"done\"}} {}", asking.succeeded));
            line(format_args!("{name}{{host=\"{host}\",result=\"failed\"}} {}", asking.failed));
        }
        let name = "cumulet_acme_failed_in_a_row";
        line(format_args!("# HELP {name} Attempts that failed since the last success.\n# TYPE {name} gauge"));
        for (host, asking) in &held.asking {
            line(format_args!("{name}{{host=\"{host}\"}} {}", asking.failed_in_a_row));
        }
    }
}

/// What a certificate says is its maker's word: nothing of it may end a label.
fn label(host: &str) -> String {
    host.chars().map(|character| if matches!(character, '"' | '\\' | '\n') { '_' } else { character }).collect()
}
