//! What the ledger says that invocations used.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use cumulet_meter::ledger::{Dimension, LedgerReader, Query};

/// What a tenant is billed for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Billed {
    /// Usage records.
    pub(crate) invocations: u64,
    /// Executed time, in microseconds.
    pub(crate) executed_us: u64,
}

/// What the ledger in a data folder holds so far, by tenant. A node that runs moves records there a few times a second.
pub(crate) fn billed(data: &Path) -> Result<BTreeMap<String, Billed>> {
    let reader = LedgerReader::open(data).context("cannot open the ledger")?;
    let query = Query { by: vec![Dimension::Tenant], ..Query::default() };
    let rows = reader.sums(&query).context("cannot read the ledger")?;
    let mut all = BTreeMap::new();
    for row in rows {
        let tenant = row.tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
        let billed = Billed { invocations: row.sums.invocations, executed_us: row.sums.executed_us };
        all.insert(tenant, billed);
    }
    Ok(all)
}
