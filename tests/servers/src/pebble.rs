//! Pebble: a server of ACME made for tests, which looks at challenges as Let's Encrypt does.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::{STARTS_MAX, find, free_port, left_out, takes_connections};

/// The program, and the Debian package that brings it.
const PROGRAM: &str = "pebble";

/// Where Pebble looks.
#[derive(Clone, Copy, Debug)]
pub struct PebbleSettings {
    /// The port at which answers to HTTP-01 are.
    pub http_port: u16,
    /// The port at which answers to TLS-ALPN-01 are.
    pub tls_port: u16,
    /// The server that knows the addresses of hosts.
    pub dns: SocketAddr,
}

/// A running Pebble, killed when dropped. What it signs is trusted by nobody but who asks it for its root.
#[derive(Debug)]
pub struct Pebble {
    child: Child,
    listen: SocketAddr,
    management: SocketAddr,
    folder: TempDir,
}

impl Pebble {
    /// Starts Pebble and waits until it takes connections; `None` where there is no such program.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start(settings: &PebbleSettings) -> anyhow::Result<Option<Self>> {
        let Some(program) = find(PROGRAM) else { return Ok(None) };
        for _ in 0..STARTS_MAX {
            let folder = tempfile::tempdir()?;
            let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let (listen, management) = (local(free_port()?), local(free_port()?));
            prepare(folder.path(), settings, (listen, management))?;
            let child = start(&program, folder.path(), settings)?;
            let mut pebble = Self { child, listen, management, folder };
            if takes_connections(&mut pebble.child, listen, PROGRAM)?
                && takes_connections(&mut pebble.child, management, PROGRAM)?
            {
                return Ok(Some(pebble));
            }
        }
        bail!("{PROGRAM} ended each of {STARTS_MAX} times")
    }

    /// Notes that something was left out because Pebble is not there.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn left_out(what: &str) -> anyhow::Result<()> {
        left_out(what, PROGRAM)
    }

    /// The URL of its directory, over TLS.
    #[must_use]
    pub fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.listen.port())
    }

    /// The URL of the root that it signs with, in PEM, over TLS.
    #[must_use]
    pub fn root_url(&self) -> String {
        format!("https://localhost:{}/roots/0", self.management.port())
    }

    /// The file of the root that its own listeners are trusted by.
    #[must_use]
    pub fn own_root(&self) -> PathBuf {
        self.folder.path().join("own.pem")
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        // Both fail only where it has ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Its configuration, and a certificate for its own listeners.
fn prepare(
    folder: &Path,
    settings: &PebbleSettings,
    (listen, management): (SocketAddr, SocketAddr),
) -> anyhow::Result<()> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])?.signed_by(&key, &authority)?;
    fs::write(folder.join("own.pem"), authority.pem())?;
    fs::write(folder.join("certificate.pem"), certificate.pem())?;
    fs::write(folder.join("key.pem"), key.serialize_pem())?;
    let configuration = format!(
        r#"{{"pebble": {{
            "listenAddress": "{listen}", "managementListenAddress": "{management}",
            "certificate": "certificate.pem", "privateKey": "key.pem",
            "httpPort": {}, "tlsPort": {}, "ocspResponderURL": "", "externalAccountBindingRequired": false
        }}}}"#,
        settings.http_port, settings.tls_port
    );
    Ok(fs::write(folder.join("pebble.json"), configuration)?)
}

fn start(program: &Path, folder: &Path, settings: &PebbleSettings) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command.args(["-config", "pebble.json", "-dnsserver"]).arg(settings.dns.to_string());
    // By default it waits up to 15 seconds before it looks.
    command.current_dir(folder).env("PEBBLE_VA_NOSLEEP", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().with_context(|| format!("cannot start {command:?}"))
}
