//! A report: what was used in a time, told apart as asked, and what of it is billed.

use std::path::Path;

use cumulet_meter::ledger::{self, LedgerError, LedgerReader, Minute, Query, SumRow, Sums};
use cumulet_spec::id::{AppName, ComponentName, Digest, TenantId};
use cumulet_spec::outcome::Outcome;
use thiserror::Error;

use super::known::{Unknown, look_for};

/// By what the rows of a report are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
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
    /// All of them, in the order of a report's columns.
    pub const ALL: [Self; 5] = [Self::Tenant, Self::App, Self::Component, Self::Revision, Self::Outcome];

    /// The name on the command line and in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::App => "app",
            Self::Component => "component",
            Self::Revision => "revision",
            Self::Outcome => "outcome",
        }
    }

    pub(super) const fn in_ledger(self) -> ledger::Dimension {
        match self {
            Self::Tenant => ledger::Dimension::Tenant,
            Self::App => ledger::Dimension::App,
            Self::Component => ledger::Dimension::Component,
            Self::Revision => ledger::Dimension::Revision,
            Self::Outcome => ledger::Dimension::Outcome,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// Only this tenant.
    pub tenant: Option<TenantId>,
    /// Only apps of this name.
    pub app: Option<AppName>,
    /// When.
    pub window: Window,
    /// By what rows are told apart; one row when empty.
    pub by: Vec<Dimension>,
}

/// A time in whole minutes, which is as fine as sums are.
///
/// An invocation belongs to the minute in which it was admitted. Windows that follow one another count nothing twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    since: Minute,
    until: Minute,
}

/// The window holds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the time from {} to {} holds no minute", super::rfc3339(*since_us), super::rfc3339(*until_us))]
pub struct WindowError {
    /// Its begin, in microseconds since the Unix epoch.
    pub since_us: u64,
    /// Its end, likewise.
    pub until_us: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self { since: Minute::FIRST, until: Minute::END }
    }
}

impl Window {
    /// From one point in time up to another, in microseconds since the Unix epoch, both rounded down to the minute. Without
    /// one it is open on that side.
    ///
    /// # Errors
    /// When there is no minute between them.
    pub fn new(since_us: Option<u64>, until_us: Option<u64>) -> Result<Self, WindowError> {
        let since = since_us.map_or(Minute::FIRST, Minute::of_us);
        let until = until_us.map_or(Minute::END, Minute::of_us);
        if since < until {
            Ok(Self { since, until })
        } else {
            Err(WindowError { since_us: since.start_us(), until_us: until_us.unwrap_or(u64::MAX) })
        }
    }

    /// Where it begins, in microseconds since the Unix epoch, unless it is open.
    #[must_use]
    pub fn since_us(self) -> Option<u64> {
        (self.since != Minute::FIRST).then(|| self.since.start_us())
    }

    /// The point in time that no longer belongs to it, likewise.
    #[must_use]
    pub fn until_us(self) -> Option<u64> {
        (self.until != Minute::END).then(|| self.until.start_us())
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When records were last moved into the sums, in microseconds since the Unix epoch: what ended before it is in them. 0
    /// when none ever were.
    pub as_of_us: u64,
    /// One row for each combination that used something, in the order of [`Dimension::ALL`].
    pub rows: Vec<Row>,
    /// All rows together.
    pub total: Amount,
}

/// What one combination used. A dimension that was not asked for is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
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
    /// How much.
    pub amount: Amount,
}

/// An amount of use, by whether it is paid for. The rejections of both [`Sums`] are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// What the tenant pays for: [`Outcome::billed`].
    pub billed: Sums,
    /// What ran and is not paid for, because the fault was the node's.
    pub unbilled: Sums,
    /// Requests that were turned away, and used nothing.
    pub rejections: u64,
}

impl Amount {
    fn add(&mut self, outcome: Option<Outcome>, sums: &Sums) {
        self.rejections = self.rejections.saturating_add(sums.rejections);
        let of_invocations = Sums { rejections: 0, ..*sums };
        let is_billed = outcome.is_some_and(Outcome::billed);
        if is_billed { &mut self.billed } else { &mut self.unbilled }.add_all(&of_invocations);
    }

    fn add_all(&mut self, other: &Self) {
        self.billed.add_all(&other.billed);
        self.unbilled.add_all(&other.unbilled);
        self.rejections = self.rejections.saturating_add(other.rejections);
    }
}

/// A report cannot be given.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The app or tenant that was asked for has never used anything.
    #[error("the ledger knows no {what} `{name}`")]
    Unknown {
        /// `app` or `tenant`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
}

impl Report {
    /// Answers a question from the ledger in a data folder. It waits for no node, and holds none up.
    ///
    /// # Errors
    /// When the ledger is not there or cannot be read, or knows nothing of the app or tenant that was asked for.
    pub fn read(data: &Path, question: &Question) -> Result<Self, ReportError> {
        let reader = LedgerReader::open(data)?;
        let report = Self::of(&reader, question)?;
        if report.rows.is_empty()
            && let Some(Unknown { what, name, nearest }) = look_for(&reader, question)?
        {
            return Err(ReportError::Unknown { what, name, nearest });
        }
        Ok(report)
    }

    /// The same for what is known to be there: what has used nothing has an empty report.
    ///
    /// # Errors
    /// When the ledger is not there or cannot be read.
    pub fn sum(data: &Path, question: &Question) -> Result<Self, LedgerError> {
        Self::of(&LedgerReader::open(data)?, question)
    }

    fn of(reader: &LedgerReader, question: &Question) -> Result<Self, LedgerError> {
        // First, so that the sums hold at least what it promises.
        let as_of_us = reader.drained_us()?;
        let found = sums(reader, question, &question.by)?;
        let mut report = Self { as_of_us, rows: Vec::new(), total: Amount::default() };
        for row in found {
            report.add(row, question);
        }
        for row in &report.rows {
            report.total.add_all(&row.amount);
        }
        Ok(report)
    }

    /// Rows that differ by the outcome alone follow one another.
    fn add(&mut self, found: SumRow, question: &Question) {
        let SumRow { tenant, app, component, revision, outcome, sums, .. } = found;
        let shown = outcome.filter(|_| question.by.contains(&Dimension::Outcome));
        let mut row = Row { tenant, app, component, revision, outcome: shown, amount: Amount::default() };
        match self.rows.last_mut().filter(|last| last.is_same(&row)) {
            Some(last) => last.amount.add(outcome, &sums),
            None => {
                row.amount.add(outcome, &sums);
                self.rows.push(row);
            }
        }
    }
}

impl Row {
    fn is_same(&self, other: &Self) -> bool {
        (&self.tenant, &self.app, &self.component) == (&other.tenant, &other.app, &other.component)
            && (self.revision, self.outcome) == (other.revision, other.outcome)
    }
}

/// The sums by these dimensions, and always by outcome, on which it depends whether they are paid for.
pub(super) fn sums(reader: &LedgerReader, question: &Question, by: &[Dimension]) -> Result<Vec<SumRow>, LedgerError> {
    let by = by.iter().chain([&Dimension::Outcome]).map(|dimension| dimension.in_ledger()).collect();
    let Window { since, until } = question.window;
    let (tenant, app) = (question.tenant.clone(), question.app.clone());
    reader.sums(&Query { since, until, by, tenant, app, ..Query::default() })
}
