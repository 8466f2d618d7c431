//! The apps that are loaded: a bounded cache in front of what is deployed.
//!
//! Found by host without a lock that all share; evicted least recently used, several at a time, so that the order is
//! looked at seldom.

use crate::apps::arms::Arms;
use crate::apps::code::CodeTotals;
use cumulet_spec::id::AppId;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Parts of the table of hosts: a power of two, so that cores seldom meet at one lock.
const SHARDS: usize = 64;
/// Hosts under which one app is remembered.
const HOSTS_PER_APP_MAX: usize = 16;
/// The part of all loaded apps that goes at once when there are too many.
const EVICTED_PART: usize = 16;
/// Places in which changes are counted: apps that share one only cause each other to be read again.
const CHANGES: usize = 64;
/// Idle apps that go at once: the rest goes the next time.
const IDLE_MAX: usize = 1_024;

/// An app that is loaded: compiled files mapped, components linked, quotas at hand.
#[derive(Debug)]
pub(crate) struct LoadedApp {
    pub(crate) id: AppId,
    /// Which deployment this is.
    pub(crate) generation: u64,
    pub(crate) arms: Arms,
    /// What it takes besides its code, in bytes.
    bytes: u64,
    /// Its code, which it may share with others, in bytes.
    code_bytes: u64,
    /// What all loaded apps of its tenant may take together, code included, in bytes.
    tenant_bytes_max: u64,
    /// When it was last used, in turns of the cache.
    used: AtomicU64,
}

/// What an app takes while it is loaded, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadCost {
    /// Besides its code.
    pub(crate) bytes: u64,
    /// Its code, which it may share with others.
    pub(crate) code_bytes: u64,
    /// What all loaded apps of its tenant may take together.
    pub(crate) tenant_bytes_max: u64,
}

impl LoadedApp {
    pub(crate) fn new(id: AppId, generation: u64, arms: Arms, cost: LoadCost) -> Self {
        let LoadCost { bytes, code_bytes, tenant_bytes_max } = cost;
        Self { id, generation, arms, bytes, code_bytes, tenant_bytes_max, used: AtomicU64::new(0) }
    }

    /// Notes that it was used. Written once a turn, so that cores do not wait for each other's writes.
    fn used(&self, turn: u64) {
        if self.used.load(Ordering::Relaxed) < turn {
            self.used.store(turn, Ordering::Relaxed);
        }
    }
}

/// What may be loaded at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadBounds {
    /// Bytes of memory: mapped code and what surrounds it.
    pub(crate) bytes: u64,
    /// Compiled files: each takes a descriptor and a few mappings of the process.
    pub(crate) files: u64,
}

struct Held {
    app: Arc<LoadedApp>,
    hosts: Vec<Box<str>>,
}

struct Table {
    apps: HashMap<AppId, Held>,
    bytes: u64,
    /// How often an app was removed because it changed, summed over those that share a place.
    changes: [u64; CHANGES],
}

/// How far the changes of an app had come when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Since {
    place: usize,
    changes: u64,
}

type Hosts = RwLock<HashMap<Box<str>, Arc<LoadedApp>>>;

/// The cache.
pub(crate) struct LoadedApps {
    hosts: [Hosts; SHARDS],
    hasher: RandomState,
    table: Mutex<Table>,
    code: Arc<CodeTotals>,
    bounds: LoadBounds,
    /// What uses are dated with: it goes on with each app that is put, and costs no clock.
    turn: AtomicU64,
    evicted: AtomicU64,
    unloaded: AtomicU64,
}

impl std::fmt::Debug for LoadedApps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedApps").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

/// Numbers for whoever watches.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoadedTotals {
    pub(crate) apps: u64,
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    pub(crate) evicted: u64,
    pub(crate) unloaded: u64,
}

/// A turn of the cache. What is used after it was taken has been used since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(u64);

impl LoadedApps {
    pub(crate) fn new(bounds: LoadBounds, code: Arc<CodeTotals>) -> Self {
        Self {
            hosts: std::array::from_fn(|_shard| Hosts::default()),
            hasher: RandomState::new(),
            table: Mutex::new(Table { apps: HashMap::new(), bytes: 0, changes: [0; CHANGES] }),
            code,
            bounds,
            turn: AtomicU64::new(1),
            evicted: AtomicU64::new(0),
            unloaded: AtomicU64::new(0),
        }
    }

    /// The app that answers at a host, in lower case and without a port.
    pub(crate) fn find(&self, host: &str) -> Option<Arc<LoadedApp>> {
        let app = self.shard(host).read().get(host).cloned()?;
        app.used(self.turn.load(Ordering::Relaxed));
        Some(app)
    }

    /// A mark for [`LoadedApps::take_idle`].
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.turn.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Takes out apps that nobody used since a mark. Dropping them is not for threads that serve.
    #[must_use]
    pub(crate) fn take_idle(&self, since: Mark) -> Vec<Arc<LoadedApp>> {
        let mut table = self.table.lock();
        let is_idle = |held: &&Held| held.app.used.load(Ordering::Relaxed) < since.0;
        let idle: Vec<AppId> =
            table.apps.values().filter(is_idle).take(IDLE_MAX).map(|held| held.app.id.clone()).collect();
        let gone: Vec<_> = idle.iter().filter_map(|id| self.take(&mut table, id)).collect();
        self.unloaded.fetch_add(gone.len() as u64, Ordering::Relaxed);
        gone
    }

    /// To be asked before an app is read, and given back with it: what changes in between is not overlooked.
    pub(crate) fn since(&self, id: &AppId) -> Since {
        let place = self.place(id);
        Since { place, changes: self.table.lock().changes.get(place).copied().unwrap_or_default() }
    }

    /// Puts an app in the place of an older deployment of it, if there is one, and finds it by this host from now on.
    /// What has to go for it is returned: dropping it unmaps files, which is not for threads that serve.
    ///
    /// Nothing is put, and nothing returned, when the app has changed since: then it has to be read again.
    #[must_use]
    pub(crate) fn insert(&self, app: Arc<LoadedApp>, host: &str, since: Since) -> Option<Vec<Arc<LoadedApp>>> {
        let mut gone = Vec::new();
        app.used(self.mark().0);
        let mut table = self.table.lock();
        if table.changes.get(since.place) != Some(&since.changes) {
            return None;
        }
        if table.apps.get(&app.id).is_some_and(|held| held.app.generation != app.generation) {
            gone.extend(self.take(&mut table, &app.id));
        }
        if !table.apps.contains_key(&app.id) {
            table.bytes += app.bytes;
            table.apps.insert(app.id.clone(), Held { app: Arc::clone(&app), hosts: Vec::new() });
        }
        if let Some(held) = table.apps.get_mut(&app.id)
            && held.hosts.len() < HOSTS_PER_APP_MAX
            && !held.hosts.iter().any(|known| **known == *host)
        {
            held.hosts.push(host.into());
            self.shard(host).write().insert(host.into(), Arc::clone(&held.app));
        }
        self.evict_of_tenant(&mut table, &app, &mut gone);
        self.evict(&mut table, &app.id, &mut gone);
        Some(gone)
    }

    /// Forgets an app that has changed: the next request finds what is deployed then, also while it is being loaded.
    #[must_use]
    pub(crate) fn remove(&self, id: &AppId) -> Option<Arc<LoadedApp>> {
        let mut table = self.table.lock();
        if let Some(changes) = table.changes.get_mut(self.place(id)) {
            *changes += 1;
        }
        self.take(&mut table, id)
    }

    pub(crate) fn totals(&self) -> LoadedTotals {
        let table = self.table.lock();
        LoadedTotals {
            apps: table.apps.len() as u64,
            bytes: table.bytes + self.code.bytes(),
            files: self.code.files(),
            evicted: self.evicted.load(Ordering::Relaxed),
            unloaded: self.unloaded.load(Ordering::Relaxed),
        }
    }

    fn is_over(&self, table: &Table) -> bool {
        table.bytes + self.code.bytes() > self.bounds.bytes || self.code.files() > self.bounds.files
    }

    /// Takes out apps of a tenant, those that were used longest ago first, until the rest fits into its quota.
    fn evict_of_tenant(&self, table: &mut Table, newcomer: &LoadedApp, gone: &mut Vec<Arc<LoadedApp>>) {
        if newcomer.tenant_bytes_max == u64::MAX {
            return;
        }
        let held = table.apps.values().map(|held| &held.app).filter(|app| app.id.tenant == newcomer.id.tenant);
        let mut apps: Vec<Arc<LoadedApp>> = held.cloned().collect();
        let mut bytes: u64 = apps.iter().map(|app| app.bytes + app.code_bytes).sum();
        apps.sort_by_key(|app| app.used.load(Ordering::Relaxed));
        for app in apps.iter().filter(|app| app.id != newcomer.id) {
            if bytes <= newcomer.tenant_bytes_max {
                return;
            }
            bytes -= app.bytes + app.code_bytes;
            gone.extend(self.take(table, &app.id));
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes out the apps that were used longest ago, except the one that has just come.
    fn evict(&self, table: &mut Table, newcomer: &AppId, gone: &mut Vec<Arc<LoadedApp>>) {
        if !self.is_over(table) {
            return;
        }
        let others = table.apps.values().filter(|held| held.app.id != *newcomer);
        let mut ages: Vec<(u64, AppId)> =
            others.map(|held| (held.app.used.load(Ordering::Relaxed), held.app.id.clone())).collect();
        let count = ages.len().div_ceil(EVICTED_PART);
        if count == 0 {
            return;
        }
        ages.select_nth_unstable_by_key(count - 1, |(used, _)| *used);
        for (_, id) in ages.into_iter().take(count) {
            gone.extend(self.take(table, &id));
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&self, table: &mut Table, id: &AppId) -> Option<Arc<LoadedApp>> {
        let Held { app, hosts } = table.apps.remove(id)?;
        table.bytes -= app.bytes;
        for host in &hosts {
            self.shard(host).write().remove(host);
        }
        Some(app)
    }

    fn place(&self, id: &AppId) -> usize {
        usize::try_from(self.hasher.hash_one(id) % CHANGES as u64).unwrap_or(0)
    }

    fn shard(&self, host: &str) -> &Hosts {
        let hash = self.hasher.hash_one(host);
        let place = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        self.hosts.get(place).unwrap_or(&self.hosts[0])
    }
}

#[cfg(test)]
mod tests;
