//! A report as the API and `cumulet usage --json` say it.

use cumulet_meter::ledger::Sums;
use cumulet_spec::api::{UsageAmount, UsageComparison, UsageCost, UsageRow, UsageSums, UsageView};

use super::comparison::Comparison;
use super::report::{Amount, Dimension, Question, Report, Row};
use super::when::rfc3339;

/// What a comparison leaves out, beside it because it changes what it means.
const COMPARED: &str = "An estimate from sums. Left out: free tiers, monthly minimums, discounts, bandwidth, gateways.";

impl Report {
    /// The answer to a question as a document, with a comparison if there is one.
    #[must_use]
    pub fn view(&self, question: &Question, compared: Option<&Comparison>) -> UsageView {
        UsageView {
            as_of: (self.as_of_us > 0).then(|| rfc3339(self.as_of_us)),
            since: question.window.since_us().map(rfc3339),
            until: question.window.until_us().map(rfc3339),
            rows: self.rows.iter().map(|row| row.view(&question.by)).collect(),
            total: self.total.view(),
            compare: compared.map(Comparison::view),
        }
    }
}

impl Row {
    fn view(&self, by: &[Dimension]) -> UsageRow {
        let is_asked = |dimension: Dimension| by.contains(&dimension);
        UsageRow {
            tenant: is_asked(Dimension::Tenant).then(|| self.tenant.clone()),
            app: is_asked(Dimension::App).then(|| self.app.clone()),
            component: is_asked(Dimension::Component).then(|| self.component.clone()),
            revision: is_asked(Dimension::Revision).then_some(self.revision),
            outcome: is_asked(Dimension::Outcome).then_some(self.outcome),
            amount: self.amount.view(),
        }
    }
}

impl Amount {
    fn view(&self) -> UsageAmount {
        UsageAmount {
            billed: sums_view(&self.billed),
            unbilled: sums_view(&self.unbilled),
            rejections: self.rejections,
        }
    }
}

fn sums_view(sums: &Sums) -> UsageSums {
    UsageSums {
        requests: sums.invocations,
        executed_us: sums.executed_us,
        wall_us: sums.wall_us,
        memory_time_byte_us: sums.memory_time_byte_us,
        bytes_in: sums.bytes_in,
        bytes_out: sums.bytes_out,
    }
}

impl Comparison {
    fn view(&self) -> UsageComparison {
        let costs = self.costs.iter().map(|(provider, cost)| UsageCost {
            provider: provider.name.clone(),
            source: provider.source.clone(),
            seen: provider.seen.clone(),
            requests_usd: cost.requests.to_string(),
            compute_usd: cost.compute.to_string(),
            total_usd: cost.total().to_string(),
        });
        UsageComparison { read: self.read.clone(), costs: costs.collect(), note: COMPARED.to_owned() }
    }
}
