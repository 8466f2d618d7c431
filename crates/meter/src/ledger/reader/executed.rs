//! Executed time for budgets: few look-ups, because it is asked while an app is woken.

use cumulet_spec::id::{AppName, TenantId};
use cumulet_spec::outcome::Outcome;
use rusqlite::{Connection, named_params};

use super::super::database::{natural, whole};
use super::super::minute::Minute;
use super::super::record::outcome_code;

/// Executed time that is billed, from `since` on: the rest of a begun hour by the minute, then by the hour.
pub(super) fn since(
    connection: &Connection,
    tenant: &TenantId,
    app: Option<&AppName>,
    since: Minute,
) -> rusqlite::Result<u64> {
    let hour = since.next_hour();
    let billed = Outcome::ALL.into_iter().filter(|outcome| outcome.billed());
    let billed: Vec<String> = billed.map(|outcome| outcome_code(outcome).to_string()).collect();
    let sum = |table: &str, unit: &str, only: &str, (from, until): (u64, u64)| -> rusqlite::Result<u64> {
        let app_only = if app.is_some() { "AND app = :app" } else { "AND :app = ''" };
        let text = text(table, unit, &format!("{app_only} {only}"));
        let mut statement = connection.prepare_cached(&text)?;
        let app = app.map_or("", AppName::as_str);
        let (from, until) = (whole(from), whole(until));
        let values = named_params! { ":tenant": tenant.as_str(), ":app": app, ":from": from, ":until": until };
        statement.query_row(values, |row| natural(row, 0))
    };
    let begun = if hour.start() > since {
        let only = format!("AND outcome IN ({})", billed.join(", "));
        sum("minute_sum", "minute", &only, (since.0, hour.start().0))?
    } else {
        0
    };
    Ok(begun.saturating_add(sum("hour_executed", "hour", "", (hour.0, u64::MAX))?))
}

/// Goes from one minute or hour that has sums to the next, and looks up each subject in it.
fn text(table: &str, unit: &str, only: &str) -> String {
    format!(
        "WITH RECURSIVE time (at) AS (
            SELECT min({unit}) FROM {table} WHERE {unit} >= :from
            UNION ALL
            SELECT (SELECT min({unit}) FROM {table} WHERE {unit} > time.at) FROM time WHERE time.at < :until
        )
        SELECT coalesce(sum(executed_us), 0) FROM time
        CROSS JOIN subject
        CROSS JOIN {table} ON {table}.{unit} = time.at AND {table}.subject = subject.id
        WHERE time.at < :until AND tenant = :tenant {only}"
    )
}
