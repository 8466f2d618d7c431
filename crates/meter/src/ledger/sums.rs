//! Sums of usage: how records add up, and how sums are written.

use std::collections::BTreeMap;

use cumulet_spec::grant::Capability;
use cumulet_spec::id::{AppName, ComponentName, TenantId};
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::{HostCalls, Usage};
use rusqlite::{ToSql, Transaction, params};

use super::database::whole;
use super::minute::{Hour, Minute};
use super::record::{Entry, outcome_code, outcome_of};
use super::subject::SubjectId;

/// What several usage records, and the rejections beside them, add up to. Every sum stops at the largest number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Invocations that were admitted: one usage record each.
    pub invocations: u64,
    /// Requests that were turned away; they have no usage.
    pub rejections: u64,
    /// Wall time, in microseconds.
    pub wall_us: u64,
    /// Executed time, in microseconds.
    pub executed_us: u64,
    /// Memory-time in byte-microseconds, exact: the sum of [`Usage::memory_time_byte_us`].
    pub memory_time_byte_us: u128,
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of response bodies.
    pub bytes_out: u64,
    /// Calls to the host, by the place of the capability in [`Capability::ALL`].
    pub host_calls: [u64; Capability::ALL.len()],
}

/// Requests of one component that were turned away in one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectionSum {
    /// When.
    pub minute: Minute,
    /// Whose app it is.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// The component.
    pub component: ComponentName,
    /// Why they were turned away.
    pub outcome: Outcome,
    /// How many there were.
    pub rejections: u64,
}

/// The part of memory-time that stands in `memory_low`.
const LOW: u128 = u32::MAX as u128;

impl Sums {
    /// Adds one invocation.
    pub fn add(&mut self, usage: &Usage) {
        self.add_all(&Self {
            invocations: 1,
            rejections: 0,
            wall_us: usage.wall_us,
            executed_us: usage.executed_us,
            memory_time_byte_us: u128::from(usage.memory_time_byte_us()),
            bytes_in: usage.bytes_in,
            bytes_out: usage.bytes_out,
            host_calls: calls(&usage.host_calls),
        });
    }

    /// Adds other sums.
    pub fn add_all(&mut self, other: &Self) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.invocations, other.invocations);
        add(&mut self.rejections, other.rejections);
        add(&mut self.wall_us, other.wall_us);
        add(&mut self.executed_us, other.executed_us);
        self.memory_time_byte_us = self.memory_time_byte_us.saturating_add(other.memory_time_byte_us);
        add(&mut self.bytes_in, other.bytes_in);
        add(&mut self.bytes_out, other.bytes_out);
        for (sum, more) in self.host_calls.iter_mut().zip(other.host_calls) {
            add(sum, more);
        }
    }

    /// Calls to the host that need a capability.
    #[must_use]
    pub fn calls(&self, capability: Capability) -> u64 {
        self.host_calls.get(capability.index()).copied().unwrap_or_default()
    }
}

/// The columns that hold sums, in the order of [`values`].
pub(super) fn columns() -> Vec<String> {
    let fixed = ["invocations", "wall_us", "executed_us", "memory_high", "memory_low", "bytes_in", "bytes_out"];
    let calls = Capability::ALL.into_iter().map(|capability| format!("{capability}_calls"));
    fixed.into_iter().map(str::to_owned).chain(calls).collect()
}

fn values(sums: &Sums) -> Vec<i64> {
    let high = i64::try_from(sums.memory_time_byte_us >> 32).unwrap_or(i64::MAX);
    let low = i64::try_from(sums.memory_time_byte_us & LOW).unwrap_or(i64::MAX);
    let Sums { invocations, wall_us, executed_us, bytes_in, bytes_out, .. } = *sums;
    let mut values = vec![whole(invocations), whole(wall_us), whole(executed_us), high, low];
    values.extend([whole(bytes_in), whole(bytes_out)]);
    values.extend(sums.host_calls.map(whole));
    values
}

/// The sums of the records of one drain.
#[derive(Debug, Default)]
pub(super) struct MinuteSums {
    sums: BTreeMap<(Minute, SubjectId, u8), Sums>,
}

impl MinuteSums {
    pub(super) fn add(&mut self, entry: &Entry) {
        let key = (Minute::of_us(entry.started_us), entry.subject, outcome_code(entry.outcome));
        self.sums.entry(key).or_default().add(&entry.usage);
    }

    /// Adds the sums to those in the database.
    pub(super) fn write(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut statement = transaction.prepare_cached(&upsert())?;
        for ((minute, subject, outcome), sums) in &self.sums {
            let key = [whole(minute.0), i64::from(subject.0), i64::from(*outcome)];
            let values = values(sums);
            let row: Vec<&dyn ToSql> = key.iter().chain(&values).map(|value| value as &dyn ToSql).collect();
            statement.execute(row.as_slice())?;
        }
        self.write_hours(transaction)
    }

    fn write_hours(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut hours: BTreeMap<(Hour, SubjectId), u64> = BTreeMap::new();
        for ((minute, subject, outcome), sums) in &self.sums {
            if outcome_of(*outcome).is_some_and(Outcome::billed) {
                let executed_us = hours.entry((minute.hour(), *subject)).or_default();
                *executed_us = executed_us.saturating_add(sums.executed_us);
            }
        }
        let sum = saturating("executed_us");
        let text = format!("INSERT INTO hour_executed VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET {sum}");
        let mut statement = transaction.prepare_cached(&text)?;
        for ((hour, subject), executed_us) in hours {
            statement.execute(params![whole(hour.0), subject.0, whole(executed_us)])?;
        }
        Ok(())
    }
}

/// Adds rejections to those in the database.
pub(super) fn write_rejections(transaction: &Transaction<'_>, rejections: &[RejectionSum]) -> rusqlite::Result<()> {
    let sum = saturating("rejections");
    let text = format!("INSERT INTO rejection_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET {sum}");
    let mut statement = transaction.prepare_cached(&text)?;
    for RejectionSum { minute, tenant, app, component, outcome, rejections } in rejections {
        let (tenant, app, component) = (tenant.as_str(), app.as_str(), component.as_str());
        let (minute, rejections) = (whole(minute.0), whole(*rejections));
        statement.execute(params![minute, tenant, app, component, outcome_code(*outcome), rejections])?;
    }
    Ok(())
}

fn upsert() -> String {
    let columns = columns();
    let names = columns.join(", ");
    let places = vec!["?"; columns.len() + 3].join(", ");
    let additions: Vec<String> = columns.iter().map(|column| saturating(column)).collect();
    format!(
        "INSERT INTO minute_sum (minute, subject, outcome, {names}) VALUES ({places}) ON CONFLICT DO UPDATE SET {}",
        additions.join(", ")
    )
}

/// SQLite makes a float of an integer that overflows, which the table would refuse for ever.
fn saturating(column: &str) -> String {
    format!("{column} = {column} + min(excluded.{column}, 9223372036854775807 - {column})")
}

fn calls(calls: &HostCalls) -> [u64; Capability::ALL.len()] {
    Capability::ALL.map(|capability| u64::from(calls.get(capability)))
}
