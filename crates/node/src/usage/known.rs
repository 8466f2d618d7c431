//! Whether the ledger has ever heard of what was asked for.

use cumulet_meter::ledger::{self, LedgerError, LedgerReader, Query};
use cumulet_spec::id::AppId;

use super::report::Question;

/// An app or a tenant that has never used anything.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) what: &'static str,
    pub(super) name: String,
    pub(super) nearest: Option<String>,
}

/// What of a question without an answer was never heard of. It looks through all sums: only for a better error.
pub(super) fn look_for(reader: &LedgerReader, question: &Question) -> Result<Option<Unknown>, LedgerError> {
    if question.tenant.is_none() && question.app.is_none() {
        return Ok(None);
    }
    let by = vec![ledger::Dimension::Tenant, ledger::Dimension::App];
    let rows = reader.sums(&Query { by, ..Query::default() })?;
    let known: Vec<AppId> =
        rows.into_iter().filter_map(|row| Some(AppId { tenant: row.tenant?, app: row.app? })).collect();
    if let Some(tenant) = &question.tenant
        && !known.iter().any(|id| id.tenant == *tenant)
    {
        return Ok(Some(unknown("tenant", tenant.as_str(), known.iter().map(|id| id.tenant.as_str()))));
    }
    let within = |id: &&AppId| question.tenant.as_ref().is_none_or(|tenant| *tenant == id.tenant);
    let known: Vec<&AppId> = known.iter().filter(within).collect();
    match &question.app {
        Some(app) if !known.iter().any(|id| id.app == *app) => {
            Ok(Some(unknown("app", app.as_str(), known.iter().map(|id| id.app.as_str()))))
        }
        Some(_) | None => Ok(None),
    }
}

fn unknown<'a>(what: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> Unknown {
    let steps = |candidate: &str| strsim::damerau_levenshtein(name, candidate);
    let near = known.map(|candidate| (steps(candidate), candidate)).min_by_key(|(steps, _)| *steps);
    let is_near = |steps: usize| steps <= 1 + name.chars().count() / 3;
    let nearest = near.filter(|(steps, _)| is_near(*steps)).map(|(_, candidate)| candidate.to_owned());
    Unknown { what, name: name.to_owned(), nearest }
}
