//! What can be asked of the sums.

use cumulet_spec::grant::Capability;
use cumulet_spec::id::{AppName, ComponentName, Digest, TenantId};
use cumulet_spec::outcome::Outcome;
use rusqlite::types::{FromSqlError, Type, ValueRef};
use rusqlite::{Connection, Row, named_params};

use super::super::database::{natural, whole};
use super::super::minute::Minute;
use super::super::record::{outcome_code, outcome_of};
use super::super::sums::{Sums, columns};

/// Something by which sums are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// The minute in which invocations were admitted, or requests turned away.
    Minute,
    /// Who pays.
    Tenant,
    /// The app.
    App,
    /// The component of the trigger.
    Component,
    /// The revision. Rejections have none.
    Revision,
    /// How it ended.
    Outcome,
}

impl Dimension {
    const ALL: [Self; 6] = [Self::Minute, Self::Tenant, Self::App, Self::Component, Self::Revision, Self::Outcome];

    const fn column(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Tenant => "tenant",
            Self::App => "app",
            Self::Component => "component",
            Self::Revision => "revision",
            Self::Outcome => "outcome",
        }
    }
}

/// Which sums are asked for. The default is one row over everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The first minute that counts.
    pub since: Minute,
    /// The first minute that no longer counts.
    pub until: Minute,
    /// By what the rows are told apart.
    pub by: Vec<Dimension>,
    /// Only this tenant.
    pub tenant: Option<TenantId>,
    /// Only apps of this name.
    pub app: Option<AppName>,
    /// Only components of this name.
    pub component: Option<ComponentName>,
    /// Only this revision; rejections have none and are left out.
    pub revision: Option<Digest>,
    /// Only what ended so.
    pub outcome: Option<Outcome>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            since: Minute::FIRST,
            until: Minute::END,
            by: Vec::new(),
            tenant: None,
            app: None,
            component: None,
            revision: None,
            outcome: None,
        }
    }
}

/// One row of an answer. A dimension that was not asked for is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SumRow {
    /// The minute.
    pub minute: Option<Minute>,
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The app.
    pub app: Option<AppName>,
    /// The component.
    pub component: Option<ComponentName>,
    /// The revision; always empty for rejections.
    pub revision: Option<Digest>,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// What was used.
    pub sums: Sums,
}

pub(super) fn run(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<SumRow>> {
    let mut statement = connection.prepare_cached(&text(&query.by))?;
    let revision: Option<&[u8]> = query.revision.as_ref().map(|revision| revision.as_bytes().as_slice());
    let rows = statement.query_map(
        named_params! {
            ":since": whole(query.since.0),
            ":until": whole(query.until.0),
            ":tenant": query.tenant.as_ref().map(TenantId::as_str),
            ":app": query.app.as_ref().map(AppName::as_str),
            ":component": query.component.as_ref().map(ComponentName::as_str),
            ":revision": revision,
            ":outcome": query.outcome.map(outcome_code),
        },
        read_row,
    )?;
    // A query without dimensions has a row even when nothing was summed.
    rows.filter(|row| row.as_ref().map_or(true, |row| row.sums != Sums::default())).collect()
}

fn text(by: &[Dimension]) -> String {
    let selected =
        Dimension::ALL.map(|dimension| if by.contains(&dimension) { dimension.column() } else { "NULL" }).join(", ");
    let columns = columns();
    let summed = columns.join("), sum(");
    let zeros = vec!["0"; columns.len()].join(", ");
    let groups: Vec<&str> = Dimension::ALL.into_iter().filter(|d| by.contains(d)).map(Dimension::column).collect();
    let tail = if groups.is_empty() {
        String::new()
    } else {
        format!("GROUP BY {groups} ORDER BY {groups}", groups = groups.join(", "))
    };
    let asked = "minute >= :since AND minute < :until
        AND (:tenant IS NULL OR tenant = :tenant)
        AND (:app IS NULL OR app = :app)
        AND (:component IS NULL OR component = :component)
        AND (:outcome IS NULL OR outcome = :outcome)";
    format!(
        "SELECT {selected}, sum(rejections), sum({summed}) FROM (
            SELECT minute, tenant, app, component, revision, outcome, 0 AS rejections, {names}
            FROM minute_sum CROSS JOIN subject ON subject.id = minute_sum.subject
            WHERE {asked} AND (:revision IS NULL OR revision = :revision)
            UNION ALL
            SELECT minute, tenant, app, component, NULL, outcome, rejections, {zeros}
            FROM rejection_sum WHERE {asked} AND :revision IS NULL
        ) {tail}",
        names = columns.join(", "),
    )
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<SumRow> {
    let outcome = |code: u8| outcome_of(code).ok_or(FromSqlError::OutOfRange(i64::from(code)));
    Ok(SumRow {
        minute: optional(row, 0)?.map(Minute),
        tenant: parsed(row, 1, |text: String| TenantId::parse(&text))?,
        app: parsed(row, 2, |text: String| AppName::parse(&text))?,
        component: parsed(row, 3, |text: String| ComponentName::parse(&text))?,
        revision: row.get::<_, Option<[u8; 32]>>(4)?.map(Digest::from_bytes),
        outcome: parsed(row, 5, outcome)?,
        sums: read_sums(row)?,
    })
}

fn parsed<S, T, E>(row: &Row<'_>, column: usize, parse: impl FnOnce(S) -> Result<T, E>) -> rusqlite::Result<Option<T>>
where
    S: rusqlite::types::FromSql,
    E: std::error::Error + Send + Sync + 'static,
{
    let value: Option<S> = row.get(column)?;
    let failure = |error: E| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error));
    value.map(parse).transpose().map_err(failure)
}

fn optional(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    if row.get_ref(column)? == ValueRef::Null { Ok(None) } else { natural(row, column).map(Some) }
}

/// The sums follow the dimensions, in the order of [`columns`].
fn read_sums(row: &Row<'_>) -> rusqlite::Result<Sums> {
    let mut at = Dimension::ALL.len();
    let mut next = || -> rusqlite::Result<u64> {
        let value = optional(row, at)?;
        at += 1;
        Ok(value.unwrap_or_default())
    };
    let rejections = next()?;
    let (invocations, wall_us, executed_us) = (next()?, next()?, next()?);
    let (high, low) = (u128::from(next()?), u128::from(next()?));
    let (bytes_in, bytes_out) = (next()?, next()?);
    let mut host_calls = [0; Capability::ALL.len()];
    for calls in &mut host_calls {
        *calls = next()?;
    }
    let memory_time_byte_us = (high << 32) + low;
    Ok(Sums { invocations, rejections, wall_us, executed_us, memory_time_byte_us, bytes_in, bytes_out, host_calls })
}
