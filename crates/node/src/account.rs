//! What tenants may use on this node, and their numbers in the run queue.

use cumulet_meter::ledger::{LedgerError, LedgerReader, Minute};
use cumulet_meter::{QuotaGate, QuotaGates, Spent};
use cumulet_spec::id::{AppId, AppName, TenantId};
use cumulet_spec::node::NodeConfig;
use cumulet_spec::quota::{Quota, Weight};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Minutes of a day.
const DAY_MINUTES: u64 = 24 * 60;
/// Nanoseconds of a microsecond.
const NANOS: u64 = 1_000;

/// One tenant.
#[derive(Debug)]
pub(crate) struct Account {
    /// Its number in the run queue.
    pub(crate) number: u64,
    pub(crate) weight: Weight,
    quota: Option<Arc<QuotaGate>>,
}

/// The tenants that this node has met. They are few beside their apps, and are not forgotten: what they have used in
/// this minute and on this day goes with them.
#[derive(Debug)]
pub(crate) struct Accounts {
    config: NodeConfig,
    tenants: Mutex<HashMap<TenantId, Arc<Account>>>,
    /// Apps with a quota of their own: those that the configuration names.
    apps: Mutex<HashMap<AppId, Arc<QuotaGate>>>,
}

impl Accounts {
    pub(crate) fn new(config: NodeConfig) -> Self {
        Self { config, tenants: Mutex::default(), apps: Mutex::default() }
    }

    pub(crate) fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The account of a tenant. What it used before this process began is read from the ledger when it is first met.
    pub(crate) fn of(&self, tenant: &TenantId, used: &Used<'_>) -> Result<Arc<Account>, LedgerError> {
        let mut tenants = self.tenants.lock();
        if let Some(account) = tenants.get(tenant) {
            return Ok(Arc::clone(account));
        }
        let share = self.config.share(tenant);
        let quota = gate(&share.quota, || used.spent(tenant, None))?;
        let account = Arc::new(Account { number: tenants.len() as u64, weight: share.weight, quota });
        tenants.insert(tenant.clone(), Arc::clone(&account));
        Ok(account)
    }

    /// The quotas that invocations of an app pass.
    pub(crate) fn gates(&self, id: &AppId, account: &Account, used: &Used<'_>) -> Result<QuotaGates, LedgerError> {
        let tenant = account.quota.clone();
        let quota = self.config.app_quota(&id.tenant, &id.app);
        if quota.is_unlimited() {
            return Ok(QuotaGates { app: None, tenant });
        }
        let mut apps = self.apps.lock();
        if let Some(app) = apps.get(id) {
            return Ok(QuotaGates { app: Some(Arc::clone(app)), tenant });
        }
        let app = gate(&quota, || used.spent(&id.tenant, Some(&id.app)))?;
        if let Some(app) = &app {
            apps.insert(id.clone(), Arc::clone(app));
        }
        Ok(QuotaGates { app, tenant })
    }
}

/// Nothing is read for a quota without a window of time.
fn gate(
    quota: &Quota,
    spent: impl FnOnce() -> Result<Spent, LedgerError>,
) -> Result<Option<Arc<QuotaGate>>, LedgerError> {
    let has_window = quota.cpu_per_minute.is_some() || quota.cpu_per_day.is_some();
    let spent = if has_window { spent()? } else { Spent::default() };
    Ok(QuotaGate::new(quota, spent))
}

/// What was used up to now, according to the ledger.
#[derive(Debug)]
pub(crate) struct Used<'a> {
    pub(crate) reader: &'a Mutex<LedgerReader>,
    pub(crate) now_us: u64,
}

impl Used<'_> {
    fn spent(&self, tenant: &TenantId, app: Option<&AppName>) -> Result<Spent, LedgerError> {
        let reader = self.reader.lock();
        let minute = Minute::of_us(self.now_us);
        let day = Minute(minute.0 - minute.0 % DAY_MINUTES);
        Ok(Spent {
            as_of_us: self.now_us,
            minute_nanos: reader.executed_since(tenant, app, minute)?.saturating_mul(NANOS),
            day_nanos: reader.executed_since(tenant, app, day)?.saturating_mul(NANOS),
        })
    }
}
