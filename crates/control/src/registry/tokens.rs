//! Tokens, of which only the hash is kept.

use cumulet_spec::id::{Digest, TenantId};
use cumulet_spec::token::{Actor, Reach, Scope, TokenId};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::Registry;
use super::failure::{Failure, RegistryError};
use super::log::{Entry, stored, unsigned};
use super::lookup::{conversion, page_rows, parsed, whole};
use crate::change::Change;
use crate::token::{NewToken, REACH_TOKENS_MAX, TokenError, TokenErrorKind, TokenRow};

/// The columns of a token, in the order in which [`listed`] reads them.
const COLUMNS: &str = "id, hash, name, tenant, scope, expires_us, made_by, at_us";

impl Registry {
    /// Keeps a new token.
    ///
    /// # Errors
    /// When there is one of its id, there are too many of its reach, or it cannot be made durable.
    pub fn put_token(&self, new: &NewToken) -> Result<(), TokenError> {
        self.write(|transaction| put(transaction, new)).map_err(|kind| TokenError { id: new.id.clone(), kind })
    }

    /// Keeps the first token, if there is none at all; says whether it did.
    ///
    /// # Errors
    /// When it cannot be made durable.
    pub fn first_admin(&self, new: &NewToken) -> Result<bool, TokenError> {
        let made = self.write(|transaction| {
            if transaction.prepare_cached("SELECT 1 FROM tokens")?.exists(())? {
                return Ok(false);
            }
            put(transaction, new)?;
            Ok(true)
        });
        made.map_err(|kind| TokenError { id: new.id.clone(), kind })
    }

    /// A token, if there is one of that id.
    ///
    /// # Errors
    /// When the file cannot be read, or what it says of the token is damaged.
    pub fn token(&self, id: &TokenId) -> Result<Option<TokenRow>, RegistryError> {
        self.read(|connection| find(connection, id))
    }

    /// The tokens of one reach, or all, after one of them, in the order of their ids: at most `limit` and at most
    /// [`PAGE_APPS_MAX`](super::PAGE_APPS_MAX), without damaged ones.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn tokens(
        &self,
        reach: Option<&Reach>,
        after: Option<&TokenId>,
        limit: usize,
    ) -> Result<Vec<TokenRow>, RegistryError> {
        let (after, limit) = (after.map_or("", TokenId::as_str), page_rows(limit));
        self.read(|connection| match reach {
            None => whole(
                connection
                    .prepare_cached(&format!("SELECT {COLUMNS} FROM tokens WHERE id > ?1 ORDER BY id LIMIT ?2"))?
                    .query_map((after, limit), listed)?,
            ),
            Some(reach) => whole(
                connection
                    .prepare_cached(&format!(
                        "SELECT {COLUMNS} FROM tokens WHERE tenant = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
                    ))?
                    .query_map((written(reach), after, limit), listed)?,
            ),
        })
    }

    /// Removes a token, which admits nobody from now on.
    ///
    /// # Errors
    /// When there is none, it is the last that may do everything, or it cannot be made durable.
    pub fn remove_token(&self, id: &TokenId, by: &Actor, at_us: u64) -> Result<(), TokenError> {
        let removed = self.write(|transaction| {
            let row = find(transaction, id)?.ok_or(TokenErrorKind::Unknown)?;
            if is_lasting_admin(&row) && !others_last(transaction, id)? {
                return Err(TokenErrorKind::LastAdmin.into());
            }
            transaction.prepare_cached("DELETE FROM tokens WHERE id = ?1")?.execute((id.as_str(),))?;
            let what = Change::RemoveToken { token: id.clone() };
            Ok(append(transaction, &row.reach, (by, at_us), &what)?)
        });
        removed.map_err(|kind| TokenError { id: id.clone(), kind })
    }
}

/// A token of the whole node is kept under the empty name, which no tenant has.
fn written(reach: &Reach) -> &str {
    reach.tenant().map_or("", TenantId::as_str)
}

fn is_lasting_admin(row: &TokenRow) -> bool {
    row.reach == Reach::Node && row.scope == Scope::Admin && row.expires_us.is_none()
}

/// Whether another token may do everything, and never expires.
fn others_last(transaction: &Transaction<'_>, id: &TokenId) -> rusqlite::Result<bool> {
    transaction
        .prepare_cached(
            "SELECT 1 FROM tokens WHERE tenant = '' AND scope = ?1 AND expires_us IS NULL AND id <> ?2 LIMIT 1",
        )?
        .exists((Scope::Admin.label(), id.as_str()))
}

fn put(transaction: &Transaction<'_>, new: &NewToken) -> Result<(), Failure<TokenErrorKind>> {
    if transaction.prepare_cached("SELECT 1 FROM tokens WHERE id = ?1")?.exists((new.id.as_str(),))? {
        return Err(TokenErrorKind::Exists.into());
    }
    let there: i64 = transaction
        .prepare_cached("SELECT count(*) FROM tokens WHERE tenant = ?1")?
        .query_row((written(&new.reach),), |row| row.get(0))?;
    if there >= stored(REACH_TOKENS_MAX as u64) {
        return Err(TokenErrorKind::TooMany.into());
    }
    transaction
        .prepare_cached(
            "INSERT INTO tokens (id, hash, name, tenant, scope, expires_us, made_by, at_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute((
            new.id.as_str(),
            new.hash,
            new.name.as_str(),
            written(&new.reach),
            new.scope.label(),
            new.expires_us.map(stored),
            new.by.to_string(),
            stored(new.at_us),
        ))?;
    let what = Change::Token { token: new.id.clone(), reach: new.reach.clone(), scope: new.scope };
    Ok(append(transaction, &new.reach, (&new.by, new.at_us), &what)?)
}

fn append(
    transaction: &Transaction<'_>,
    reach: &Reach,
    (by, at_us): (&Actor, u64),
    what: &Change,
) -> rusqlite::Result<()> {
    let entry = Entry { tenant: reach.tenant(), at_us, by, what };
    entry.append(transaction, None, Digest::of(b""))?;
    Ok(())
}

fn find(connection: &Connection, id: &TokenId) -> rusqlite::Result<Option<TokenRow>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM tokens WHERE id = ?1"))?
        .query_row((id.as_str(),), listed)
        .optional()
}

fn listed(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    let reach = match row.get_ref(3)?.as_str()? {
        "" => Reach::Node,
        _ => Reach::Tenant(parsed(row, 3)?),
    };
    let scope: String = row.get(4)?;
    let scope = Scope::ALL.into_iter().find(|known| known.label() == scope);
    Ok(TokenRow {
        id: parsed(row, 0)?,
        hash: row.get(1)?,
        name: parsed(row, 2)?,
        reach,
        scope: scope.ok_or_else(|| conversion(std::io::Error::other("no scope of a token")))?,
        expires_us: row.get::<_, Option<i64>>(5)?.map(unsigned),
        by: parsed(row, 6)?,
        at_us: unsigned(row.get(7)?),
    })
}
