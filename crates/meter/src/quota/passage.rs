//! Past two quotas: the app's, then its tenant's.

use super::{Ask, Over, QuotaGate, Reservation};
use std::sync::Arc;

/// The quotas that an app's invocations pass; what is `None` limits nothing.
///
/// The app's comes first: what its own quota refuses does not touch what it shares with the other apps of its tenant.
#[derive(Clone, Debug, Default)]
pub struct QuotaGates {
    /// The app's own.
    pub app: Option<Arc<QuotaGate>>,
    /// Its tenant's, shared with the tenant's other apps.
    pub tenant: Option<Arc<QuotaGate>>,
}

/// What one invocation has reserved of both quotas. Dropped without being settled, it counts as fully used.
#[derive(Debug)]
#[must_use = "a passage is settled with what was used"]
pub struct Passage {
    cpu_nanos_max: u64,
    app: Option<Reservation>,
    tenant: Option<Reservation>,
}

impl QuotaGates {
    /// Lets an invocation past both quotas, or past none.
    ///
    /// # Errors
    /// The limit that would be passed. Nothing was taken then.
    pub fn try_enter(&self, now_us: u64, ask: Ask) -> Result<Passage, Over> {
        if self.app.is_none() && self.tenant.is_none() {
            return Ok(Passage { cpu_nanos_max: ask.cpu_nanos_max, app: None, tenant: None });
        }
        let mut app = self.app.as_ref().map(|gate| gate.try_enter(now_us, ask)).transpose()?;
        let cpu_nanos_max = app.as_ref().map_or(ask.cpu_nanos_max, Reservation::cpu_nanos_max);
        let tenant = match &self.tenant {
            None => None,
            Some(gate) => match gate.try_enter(now_us, Ask { cpu_nanos_max, ..ask }) {
                Ok(tenant) => Some(tenant),
                Err(over) => {
                    if let Some(app) = app.take() {
                        app.cancel(now_us);
                    }
                    return Err(over);
                }
            },
        };
        let cpu_nanos_max = tenant.as_ref().map_or(cpu_nanos_max, Reservation::cpu_nanos_max);
        if let Some(app) = &mut app {
            app.lower(cpu_nanos_max);
        }
        Ok(Passage { cpu_nanos_max, app, tenant })
    }
}

impl Passage {
    /// Executed time that the invocation may use, in nanoseconds: its own limit, or less where a quota leaves less.
    #[must_use]
    pub fn cpu_nanos_max(&self) -> u64 {
        self.cpu_nanos_max
    }

    /// Asks for up to `nanos` more executed time, and returns how much of it both quotas gave.
    pub fn extend(&mut self, now_us: u64, nanos: u64) -> u64 {
        let granted = self.app.as_mut().map_or(nanos, |app| app.extend(now_us, nanos));
        let granted = self.tenant.as_mut().map_or(granted, |tenant| tenant.extend(now_us, granted));
        self.cpu_nanos_max = self.cpu_nanos_max.saturating_add(granted);
        if let Some(app) = &mut self.app {
            app.lower(self.cpu_nanos_max);
        }
        granted
    }

    /// Ends the invocation, which used this much executed time, in nanoseconds.
    pub fn settle(self, now_us: u64, executed_nanos: u64) {
        for reservation in [self.app, self.tenant].into_iter().flatten() {
            reservation.settle(now_us, executed_nanos);
        }
    }

    /// Ends what has not begun, because something else did not let it in: everything is given back.
    pub fn cancel(self, now_us: u64) {
        for reservation in [self.app, self.tenant].into_iter().flatten() {
            reservation.cancel(now_us);
        }
    }
}
