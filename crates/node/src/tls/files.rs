//! Certificates from files: read at the start, and again when they change. What does not fit is refused, and what was
//! shown before stays.

use super::shelf::{FromFiles, Shelf};
use crate::chain::chain;
use crate::clock::unix_seconds;
use cumulet_gateway::{Certificate, CertificateError, CertificateFault, PemPart};
use cumulet_spec::node::CertificateFiles;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;
use zeroize::Zeroizing;

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Without a further notice for this long, a change is complete: two files are seldom replaced at once.
const QUIET: Duration = Duration::from_millis(250);
/// Bursts that are waited for before the files are read although their folder does not come to rest.
const BURSTS_MAX: usize = 40;
/// How long it takes at most until a change is seen of which the system says nothing.
const LOOK_EVERY: Duration = Duration::from_secs(5 * 60);
/// What others may do with a key that they should not: anything.
const OTHERS: u32 = 0o007;

/// A certificate from files that cannot be used.
#[derive(Debug, Error)]
#[error("cannot use the TLS {} {}", part_name(*.part), path.display())]
pub struct PairError {
    /// Which of the two files is to be looked at.
    pub part: PemPart,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub kind: PairFault,
}

/// What is wrong with a file of a certificate, and what to do about it.
#[derive(Debug, Error)]
pub enum PairFault {
    /// It does not open or read.
    #[error("it does not read; check its path and permissions")]
    Read(#[source] io::Error),
    /// It is far larger than such files are.
    #[error("it is larger than {FILE_BYTES_MAX} bytes; is it the right file?")]
    TooLarge,
    /// It is over, while another is shown that may not be.
    #[error("the certificate is over since {since_s} s; renew it")]
    Over {
        /// For how many seconds.
        since_s: u64,
    },
    /// What is in it cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateFault),
}

fn part_name(part: PemPart) -> &'static str {
    match part {
        PemPart::Chain => "certificate",
        PemPart::Key => "key",
    }
}

/// Reads every pair.
pub(super) fn read_all(pairs: &[CertificateFiles]) -> Result<Vec<FromFiles>, PairError> {
    let read = |files: &CertificateFiles| {
        let certificate = Arc::new(read_pair(files)?);
        Ok(FromFiles { certificate, is_default: files.default })
    };
    pairs.iter().map(read).collect()
}

/// Says what is not as it should be of what can be used all the same.
pub(super) fn remark(pairs: &[CertificateFiles], found: &[FromFiles], now_s: u64) {
    let mut names = BTreeSet::new();
    for (files, FromFiles { certificate, .. }) in pairs.iter().zip(found) {
        let (chain, key) = (files.chain.display(), files.key.display());
        if certificate.not_after() <= now_s {
            tracing::warn!(%chain, "a TLS certificate is over; clients will refuse it: renew it");
        } else if certificate.not_before() > now_s {
            tracing::warn!(%chain, "a TLS certificate has not begun; is this machine's clock right?");
        }
        if std::fs::metadata(&files.key).is_ok_and(|data| data.permissions().mode() & OTHERS != 0) {
            tracing::warn!(%key, "others may use a TLS key: chmod 600 it, and replace it if somebody may have read it");
        }
        for host in certificate.names().iter().filter(|host| !names.insert(host.as_str().to_owned())) {
            tracing::warn!(%chain, %host, "a certificate before this one is for this host already, and is shown");
        }
    }
}

fn read_pair(files: &CertificateFiles) -> Result<Certificate, PairError> {
    let chain = read(&files.chain).map_err(|kind| at(files, PemPart::Chain, kind))?;
    let key = read(&files.key).map_err(|kind| at(files, PemPart::Key, kind))?;
    Certificate::from_pem(&chain, &key)
        .map_err(|CertificateError { part, kind }| at(files, part, PairFault::Certificate(kind)))
}

fn at(files: &CertificateFiles, part: PemPart, kind: PairFault) -> PairError {
    let path = match part {
        PemPart::Chain => &files.chain,
        PemPart::Key => &files.key,
    };
    PairError { part, path: path.clone(), kind }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, PairFault> {
    let mut text = Zeroizing::new(Vec::new());
    let mut file = File::open(path).map_err(PairFault::Read)?.take(FILE_BYTES_MAX + 1);
    file.read_to_end(&mut text).map_err(PairFault::Read)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(PairFault::TooLarge);
    }
    Ok(text)
}

/// Keeps what is shown as the files are, until it is dropped.
#[derive(Debug)]
pub(super) struct PairWatch {
    _watcher: Option<RecommendedWatcher>,
    _task: Option<AbortOnDropHandle<()>>,
}

/// The pairs as they were last used.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) files: Vec<CertificateFiles>,
    pub(super) found: Vec<FromFiles>,
    /// What was said of each pair that was refused, so that it is said once.
    pub(super) refused: Vec<Option<String>>,
}

impl PairWatch {
    /// Begins to watch; must be called on a runtime.
    pub(super) fn start(files: &[CertificateFiles], shelf: &Arc<Shelf>) -> Self {
        if files.is_empty() {
            return Self { _watcher: None, _task: None };
        }
        let changed = Arc::new(Notify::new());
        let watcher = watch(files, &changed);
        if let Err(error) = &watcher {
            tracing::warn!(%error, "certificate files cannot be watched; they are looked at every 5 minutes");
        }
        let known = Known { files: files.to_vec(), found: shelf.files(), refused: vec![None; files.len()] };
        let task = tokio::spawn(follow(known, Arc::clone(shelf), changed));
        Self { _watcher: watcher.ok(), _task: Some(AbortOnDropHandle::new(task)) }
    }
}

/// Folders, because whoever renews replaces files, or the links to them, rather than writes into them.
fn watch(files: &[CertificateFiles], changed: &Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let told = Arc::clone(changed);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if !event.is_ok_and(|event| matches!(event.kind, notify::EventKind::Access(_))) {
            told.notify_one();
        }
    })?;
    let folder = |path: &Path| match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
        Some(folder) => folder.to_owned(),
        None => PathBuf::from("/"),
    };
    let folders: BTreeSet<PathBuf> = files.iter().flat_map(|pair| [folder(&pair.chain), folder(&pair.key)]).collect();
    for folder in &folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

async fn follow(mut known: Known, shelf: Arc<Shelf>, changed: Arc<Notify>) {
    loop {
        // Without a notice it is looked all the same: some file systems give none.
        if tokio::time::timeout(LOOK_EVERY, changed.notified()).await.is_ok() {
            let mut bursts = 0;
            while bursts < BURSTS_MAX && tokio::time::timeout(QUIET, changed.notified()).await.is_ok() {
                bursts += 1;
            }
        }
        let read = tokio::task::spawn_blocking(move || {
            let new = known.look(unix_seconds());
            (known, new)
        });
        // Otherwise the runtime is ending.
        let Ok((looked, new)) = read.await else { return };
        known = looked;
        if new.is_empty() {
            continue;
        }
        shelf.put_files(&known.found);
        for (chain, certificate) in new {
            let (chain, hosts) = (chain.display(), certificate.names().join(" "));
            tracing::info!(%chain, %hosts, not_after = certificate.not_after(), "a new TLS certificate is shown");
        }
    }
}

impl Known {
    /// Reads every pair, takes what fits, and returns what is another than before. Blocks.
    pub(super) fn look(&mut self, now_s: u64) -> Vec<(PathBuf, Arc<Certificate>)> {
        let mut new = Vec::new();
        for ((files, found), refused) in self.files.iter().zip(&mut self.found).zip(&mut self.refused) {
            match taken(files, &found.certificate, now_s) {
                Ok(None) => *refused = None,
                Ok(Some(certificate)) => {
                    found.certificate = Arc::new(certificate);
                    *refused = None;
                    new.push((files.chain.clone(), Arc::clone(&found.certificate)));
                }
                Err(error) => {
                    let error = chain(&error);
                    if refused.as_ref() != Some(&error) {
                        tracing::warn!(%error, "a new TLS certificate is refused; the one before it stays");
                        *refused = Some(error);
                    }
                }
            }
        }
        new
    }
}

/// What the files hold, if it is another certificate than the one that is shown, and one that clients would take.
fn taken(files: &CertificateFiles, shown: &Certificate, now_s: u64) -> Result<Option<Certificate>, PairError> {
    let certificate = read_pair(files)?;
    if certificate.is_same(shown) {
        return Ok(None);
    }
    if certificate.not_after() <= now_s {
        let since_s = now_s - certificate.not_after();
        return Err(at(files, PemPart::Chain, PairFault::Over { since_s }));
    }
    Ok(Some(certificate))
}
