//! What no revision is made of any more is forgotten.

use std::collections::{HashMap, HashSet};

use cumulet_spec::id::Digest;
use cumulet_spec::revision::Revision;
use rusqlite::Row;

use super::Registry;
use super::failure::RegistryError;
use super::log::stored;
use super::lookup::digest;

/// How a digest begins in the written form of a revision.
const MARK: &[u8] = b"sha256:";
/// Stands in the written form of a revision whose components are linked.
const LINK: &[u8] = b"\"link\":";
/// The digits that follow.
const DIGITS: usize = 64;

/// What is left after a sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobsInUse {
    /// The bytes that somebody has sent, or that a revision that is kept is made of, and the compositions of these.
    pub digests: HashSet<Digest>,
    /// How many entries were forgotten: each says that a tenant has sent some bytes.
    pub forgotten: u64,
}

impl Registry {
    /// Forgets what tenants sent before a time, in µs since 1970, unless a revision of theirs that is kept is made of it;
    /// and tells what is in use then.
    ///
    /// Reads every revision. The caller sees to it that no deploy begins and nothing
    /// is sent meanwhile.
    ///
    /// # Errors
    /// When the file cannot be read or written; then nothing was forgotten.
    pub fn sweep_blobs(&self, before_us: u64) -> Result<BlobsInUse, RegistryError> {
        let mut made_of: HashMap<String, HashSet<Digest>> = HashMap::new();
        self.read(|connection| {
            let mut statement = connection.prepare("SELECT tenant, written FROM revisions")?;
            let mut rows = statement.query(())?;
            while let Some(row) = rows.next()? {
                let written = row.get_ref(1)?.as_blob()?;
                made_of.entry(row.get(0)?).or_default().extend(named(written).chain(composed(written)));
            }
            Ok(())
        })?;
        self.write(|transaction| {
            let mut in_use = BlobsInUse::default();
            let mut forget = transaction.prepare("DELETE FROM blobs WHERE tenant = ?1 AND digest = ?2")?;
            let mut statement = transaction.prepare("SELECT tenant, digest, at_us FROM blobs")?;
            let sent = |row: &Row<'_>| -> rusqlite::Result<(String, Option<[u8; 32]>, i64)> {
                Ok((row.get(0)?, digest(row, 1)?, row.get(2)?))
            };
            let sent: Vec<_> = statement.query_map((), sent)?.collect::<rusqlite::Result<_>>()?;
            for (tenant, digest, at_us) in sent {
                // A damaged one stands for no bytes that could be asked for.
                let Some(bytes) = digest.map(Digest::from_bytes) else { continue };
                let is_needed = made_of.get(&tenant).is_some_and(|digests| digests.contains(&bytes));
                if is_needed || at_us >= stored(before_us) {
                    in_use.digests.insert(bytes);
                } else {
                    forget.execute((&tenant, bytes.as_bytes()))?;
                    in_use.forgotten += 1;
                }
            }
            in_use.digests.extend(made_of.into_values().flatten());
            Ok(in_use)
        })
    }
}

/// What the compositions of a revision are compiled under, which does not stand in its written form. A damaged revision
/// has none; should it ever run again, they are compiled again.
fn composed(written: &[u8]) -> Vec<Digest> {
    if memchr::memmem::find(written, LINK).is_none() {
        return Vec::new();
    }
    let revision = serde_json::from_slice::<Revision>(written);
    revision.map(|revision| revision.units().map(|unit| unit.digest()).collect()).unwrap_or_default()
}

/// Every digest in the written form of a revision, also where that is damaged elsewhere.
fn named(written: &[u8]) -> impl Iterator<Item = Digest> {
    let places = memchr::memmem::find_iter(written, MARK);
    places.filter_map(|place| {
        let text = written.get(place..place + MARK.len() + DIGITS)?;
        Digest::parse(std::str::from_utf8(text).ok()?).ok()
    })
}
