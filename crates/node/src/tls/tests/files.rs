//! Certificates from files: what is taken, what is refused, and what is said.

use super::pair;
use crate::chain::chain;
use crate::tls::Secured;
use crate::tls::files::{Known, read_all};
use cumulet_spec::node::{CertificateFiles, Tls as TlsConfig, TlsVersion};
use rcgen::date_time_ymd;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Far beyond what a test needs: one that would hang fails instead.
const PATIENCE: Duration = Duration::from_secs(60);
/// 2030-01-01.
const NOW_S: u64 = 1_893_456_000;

struct Files {
    folder: TempDir,
    files: CertificateFiles,
}

impl Files {
    fn new(host: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = CertificateFiles { chain: path("chain.pem"), key: path("key.pem"), default: false };
        let this = Self { folder, files };
        let (chain, key) = pair(host, |_params| {});
        this.write(&chain, &key);
        this
    }

    /// As whoever renews does: aside, and renamed.
    fn write(&self, chain: &str, key: &str) {
        for (path, text) in [(&self.files.chain, chain), (&self.files.key, key)] {
            let aside = path.with_extension("new");
            fs::write(&aside, text).unwrap();
            fs::rename(&aside, path).unwrap();
        }
    }

    fn known(&self) -> Known {
        let files = vec![self.files.clone()];
        let found = read_all(&files).unwrap();
        Known { files, found, refused: vec![None] }
    }

    fn config(&self) -> TlsConfig {
        TlsConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            redirect: false,
            admin: false,
            min_version: TlsVersion::Tls12,
            certificates: vec![self.files.clone()],
            acme: None,
        }
    }
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn what_does_not_fit_is_refused_and_what_was_there_stays() {
    let files = Files::new("a.example");
    let mut known = files.known();
    let before = known.found[0].certificate.clone();
    let (chain_b, key_b) = pair("b.example", |_params| {});
    let (chain_c, key_c) = pair("c.example", |_params| {});
    let over = pair("d.example", |params| params.not_after = date_time_ymd(2029, 12, 31));
    assert!(known.look(NOW_S).is_empty() && known.refused[0].is_none(), "nothing is new");
    for (chain_text, key_text, part, expect) in [
        (chain_b.as_str(), key_c.as_str(), "key.pem", "the key belongs to another certificate"),
        (&chain_b[..chain_b.len() / 2], &key_b, "chain.pem", "cut short"),
        (&chain_b, &key_b[..key_b.len() / 2], "key.pem", "cut short"),
        ("", "", "chain.pem", "holds no certificate"),
        (&over.0, &over.1, "chain.pem", "the certificate is over since"),
    ] {
        files.write(chain_text, key_text);
        assert!(known.look(NOW_S).is_empty(), "{expect}");
        let said = known.refused[0].clone().unwrap();
        assert!(said.contains(part) && said.contains(expect), "{said}");
        assert!(known.found[0].certificate.is_same(&before));
    }
    fs::remove_file(&files.files.key).unwrap();
    assert!(known.look(NOW_S).is_empty());
    assert!(known.refused[0].as_ref().unwrap().contains("it does not read"), "{known:?}");
    files.write(&chain_c, &key_c);
    assert!(!known.look(NOW_S).is_empty() && known.refused[0].is_none());
    assert_eq!(known.found[0].certificate.names(), ["c.example"]);
}

#[test]
fn a_start_needs_files_that_fit() {
    let files = Files::new("a.example");
    let (chain_text, _) = pair("b.example", |_params| {});
    let (_, key_text) = pair("b.example", |params| params.not_after = date_time_ymd(2020, 1, 1));
    files.write(&chain_text, &key_text);
    let error = read_all(std::slice::from_ref(&files.files)).unwrap_err();
    assert_eq!(name(&error.path), "key.pem");
    let text = chain(&error).replace(&files.folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(text, @"cannot use the TLS key FOLDER/key.pem: the key belongs to another certificate than the first one of the chain");
    fs::remove_file(&files.files.chain).unwrap();
    let error = Secured::open(&files.config()).unwrap_err();
    let text = chain(&error).replace(&files.folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(text, @"cannot use the TLS certificate FOLDER/chain.pem: it does not read; check its path and permissions: No such file or directory (os error 2)");
    // What is over is shown all the same: a warning has been said.
    let (chain_text, key_text) = pair("c.example", |params| params.not_after = date_time_ymd(2020, 1, 1));
    files.write(&chain_text, &key_text);
    assert!(Secured::open(&files.config()).unwrap().shelf.tls().covers("c.example"));
}

#[tokio::test]
async fn files_that_change_are_read_again() {
    let files = Files::new("a.example");
    let secured = Secured::open(&files.config()).unwrap();
    let keepers = secured.keep(files.folder.path()).unwrap();
    let tls = secured.shelf.tls();
    assert!(tls.covers("a.example"));
    for host in ["b.example", "c.example"] {
        let (chain_text, key_text) = pair(host, |_params| {});
        files.write(&chain_text, &key_text);
        let shown = async {
            while !tls.covers(host) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, shown).await.expect("the change is not seen");
    }
    assert!(!tls.covers("a.example") && !tls.covers("b.example"));
    drop(keepers);
}
