//! What was seen of a node in the last seconds.

use std::collections::{BTreeMap, VecDeque};

use cumulet_spec::api::{LIVE_APPS_MAX, LiveApp, LiveRevision, LiveView};
use cumulet_spec::id::AppId;

use super::rates::{Counted, Rates, per};

/// Over how long rates are taken, in microseconds.
const WINDOW_US: u64 = 5_000_000;
/// The most views that are kept: those of the window, and the one before it.
const VIEWS_MAX: usize = 32;
/// How many looks back the trend of an app goes.
pub(super) const TREND_MAX: usize = 60;

/// Views of a node, the newest last, and how the apps got there.
#[derive(Debug, Default)]
pub(super) struct History {
    views: VecDeque<LiveView>,
    /// The executed time of each app between one look and the next, in millionths of a core.
    trends: BTreeMap<AppId, VecDeque<u64>>,
}

/// An app in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: AppId,
    /// What it did; absent after the first look.
    pub(super) rates: Option<Rates>,
    pub(super) requests: u64,
    pub(super) errors: u64,
    pub(super) memory_peak_bytes: u64,
    pub(super) cold_starts: u64,
    /// Bytes in a second.
    pub(super) bytes_in: u64,
    /// Bytes in a second.
    pub(super) bytes_out: u64,
    /// Its executed time at the last looks, the newest last.
    pub(super) trend: Vec<u64>,
}

impl History {
    /// Adds what was seen last.
    pub(super) fn push(&mut self, view: LiveView) {
        let is_next = self.newest().is_some_and(|last| last.started_us == view.started_us && last.at_us < view.at_us);
        if !is_next {
            // The first, another node or one that was started anew: nothing of before can be taken off.
            self.views.clear();
            self.trends.clear();
        }
        self.trace(&view);
        let begin = view.at_us.saturating_sub(WINDOW_US);
        self.views.push_back(view);
        while self.views.len() > 2 && self.views.front().is_some_and(|oldest| oldest.at_us < begin) {
            self.views.pop_front();
        }
        if self.views.len() > VIEWS_MAX {
            self.views.pop_front();
        }
    }

    /// What was seen last.
    pub(super) fn newest(&self) -> Option<&LiveView> {
        self.views.back()
    }

    /// The time over which rates are taken, in microseconds; none after the first look.
    pub(super) fn elapsed_us(&self) -> Option<u64> {
        let (first, last) = (self.views.front()?, self.views.back()?);
        Some(last.at_us.saturating_sub(first.at_us)).filter(|elapsed| *elapsed > 0)
    }

    /// All apps.
    pub(super) fn rows(&self) -> Vec<Row> {
        let apps = self.newest().map(|view| view.apps.as_slice()).unwrap_or_default();
        let before = self.views.front().map(by_id).unwrap_or_default();
        apps.iter().map(|app| self.row(app, before.get(&id(app)).copied())).collect()
    }

    /// An app as it was seen last.
    pub(super) fn app(&self, wanted: &AppId) -> Option<&LiveApp> {
        self.newest()?.apps.iter().find(|app| is(app, wanted))
    }

    /// What a revision of an app did; nothing after the first look.
    pub(super) fn revision(&self, of: &AppId, revision: &LiveRevision) -> Option<Rates> {
        let apps = self.views.front().map(|view| view.apps.as_slice()).unwrap_or_default();
        let revisions = apps.iter().find(|app| is(app, of)).map(|app| app.revisions.as_slice()).unwrap_or_default();
        let before = revisions.iter().find(|before| before.revision == revision.revision);
        Some(Rates::between(revision.into(), before.map(Counted::from), self.bounds(), self.elapsed_us()?))
    }

    /// The upper bounds of the buckets of latency.
    pub(super) fn bounds(&self) -> &[u64] {
        self.newest().map(|view| view.latency_bounds_us.as_slice()).unwrap_or_default()
    }

    fn row(&self, app: &LiveApp, before: Option<&LiveApp>) -> Row {
        let elapsed_us = self.elapsed_us().filter(|_| before.is_some() || self.was_whole());
        let rates =
            elapsed_us.map(|elapsed| Rates::between(app.into(), before.map(Counted::from), self.bounds(), elapsed));
        let before = before.filter(|before| before.requests <= app.requests);
        let bytes = |now: u64, then: fn(&LiveApp) -> u64| {
            elapsed_us.map_or(0, |elapsed| per(now.saturating_sub(before.map_or(0, then)), 1, elapsed))
        };
        let id = id(app);
        Row {
            rates,
            requests: app.requests,
            errors: app.errors,
            memory_peak_bytes: app.memory_peak_bytes,
            cold_starts: app.cold_starts,
            bytes_in: bytes(app.bytes_in, |app| app.bytes_in),
            bytes_out: bytes(app.bytes_out, |app| app.bytes_out),
            trend: self.trends.get(&id).map(|trend| trend.iter().copied().collect()).unwrap_or_default(),
            id,
        }
    }

    /// Whether an app that the oldest view does not have did nothing until then.
    fn was_whole(&self) -> bool {
        self.views.front().is_some_and(|view| view.apps.len() < LIVE_APPS_MAX)
    }

    /// Goes on with the trends; those of apps that are no longer seen end.
    fn trace(&mut self, view: &LiveView) {
        let last = self.views.back();
        let before = last.map(by_id).unwrap_or_default();
        let mut trends = BTreeMap::new();
        for app in view.apps.iter().take(LIVE_APPS_MAX) {
            let id = id(app);
            let mut trend = self.trends.remove(&id).unwrap_or_default();
            if let (Some(last), Some(before)) = (last, before.get(&id).copied()) {
                let elapsed = view.at_us.saturating_sub(last.at_us);
                let rates = Rates::between(app.into(), Some(before.into()), &[], elapsed);
                trend.push_back(rates.executed_ppm);
            }
            if trend.len() > TREND_MAX {
                trend.pop_front();
            }
            trends.insert(id, trend);
        }
        self.trends = trends;
    }
}

fn id(app: &LiveApp) -> AppId {
    AppId { tenant: app.tenant.clone(), app: app.app.clone() }
}

fn is(app: &LiveApp, wanted: &AppId) -> bool {
    app.tenant == wanted.tenant && app.app == wanted.app
}

fn by_id(view: &LiveView) -> BTreeMap<AppId, &LiveApp> {
    view.apps.iter().map(|app| (id(app), app)).collect()
}
