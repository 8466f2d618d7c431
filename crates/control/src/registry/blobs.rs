//! Which tenant has sent which bytes.

use cumulet_spec::id::{Digest, TenantId};
use rusqlite::{OptionalExtension as _, Transaction};

use super::Registry;
use super::failure::{Failure, RegistryError};
use super::log::{stored, unsigned};
use super::lookup::{digest, page_rows, parsed};
use crate::blob::{BlobError, BlobErrorKind, BlobRow, BlobTotals};
use crate::revision::RevisionNumber;

impl Registry {
    /// Notes that a tenant has sent these bytes, once they are kept.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn put_blob(&self, tenant: &TenantId, digest: &Digest, bytes: u64, at_us: u64) -> Result<(), RegistryError> {
        self.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO blobs (tenant, digest, bytes, at_us) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET at_us = excluded.at_us",
                )?
                .execute((tenant.as_str(), digest.as_bytes(), stored(bytes), stored(at_us)))?;
            Ok(())
        })
    }

    /// Whether a tenant has sent these bytes. What others have sent is not looked at.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn has_blob(&self, tenant: &TenantId, digest: &Digest) -> Result<bool, RegistryError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT 1 FROM blobs WHERE tenant = ?1 AND digest = ?2")?
                .exists((tenant.as_str(), digest.as_bytes()))
        })
    }

    /// What a tenant has sent after one of them, in the order of their digests: at most `limit` and at most
    /// [`PAGE_APPS_MAX`](super::PAGE_APPS_MAX).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn blobs(
        &self,
        tenant: &TenantId,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Vec<BlobRow>, RegistryError> {
        let after: &[u8] = after.map_or(&[], |after| after.as_bytes());
        let rows = self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT digest, bytes, at_us FROM blobs WHERE tenant = ?1 AND digest > ?2
                     ORDER BY digest LIMIT ?3",
                )?
                .query_map((tenant.as_str(), after, page_rows(limit)), |row| {
                    let Some(digest) = digest(row, 0)?.map(Digest::from_bytes) else { return Ok(None) };
                    Ok(Some(BlobRow { digest, bytes: unsigned(row.get(1)?), at_us: unsigned(row.get(2)?) }))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// What a tenant has sent, in sum.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn blob_totals(&self, tenant: &TenantId) -> Result<BlobTotals, RegistryError> {
        let totals = self.read(|connection| {
            connection
                .prepare_cached("SELECT blobs, bytes FROM blob_totals WHERE tenant = ?1")?
                .query_row((tenant.as_str(),), |row| {
                    Ok(BlobTotals { blobs: unsigned(row.get(0)?), bytes: unsigned(row.get(1)?) })
                })
                .optional()
        })?;
        Ok(totals.unwrap_or_default())
    }

    /// Whether anybody has sent these bytes, or a revision that is kept is made of them: then their file stays.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn keeps_blob(&self, digest: &Digest) -> Result<bool, RegistryError> {
        self.read(|connection| {
            let is_sent = connection
                .prepare_cached("SELECT 1 FROM blobs WHERE digest = ?1 LIMIT 1")?
                .exists((digest.as_bytes(),))?;
            let in_use = || {
                connection
                    .prepare_cached("SELECT 1 FROM revisions WHERE instr(written, ?1) > 0 LIMIT 1")?
                    .exists((digest.to_hex().as_bytes(),))
            };
            Ok(is_sent || in_use()?)
        })
    }

    /// Forgets that a tenant has sent these bytes.
    ///
    /// # Errors
    /// When it has not, a revision of its apps that is kept is made of them, or it cannot be made durable.
    pub fn remove_blob(&self, tenant: &TenantId, digest: &Digest) -> Result<(), BlobError> {
        self.write(|transaction| remove(transaction, tenant, digest)).map_err(|kind| BlobError {
            tenant: tenant.clone(),
            digest: *digest,
            kind,
        })
    }
}

fn remove(transaction: &Transaction<'_>, tenant: &TenantId, digest: &Digest) -> Result<(), Failure<BlobErrorKind>> {
    // The digits stand in the written form of a revision that is made of them, and in no other.
    let user = transaction
        .prepare_cached(
            "SELECT app, number FROM revisions WHERE tenant = ?1 AND instr(written, ?2) > 0
             ORDER BY app, number LIMIT 1",
        )?
        .query_row((tenant.as_str(), digest.to_hex().as_bytes()), |row| {
            Ok((parsed(row, 0)?, RevisionNumber(unsigned(row.get(1)?))))
        })
        .optional()?;
    if let Some((app, number)) = user {
        return Err(BlobErrorKind::InUse { app, number }.into());
    }
    let gone = transaction
        .prepare_cached("DELETE FROM blobs WHERE tenant = ?1 AND digest = ?2")?
        .execute((tenant.as_str(), digest.as_bytes()))?;
    if gone == 0 { Err(BlobErrorKind::Unknown.into()) } else { Ok(()) }
}
