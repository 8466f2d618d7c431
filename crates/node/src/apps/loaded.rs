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
/// Uses closer together than this do not write again, in microseconds.
const USE_STEP_US: u64 = 1_000;

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
    used_us: AtomicU64,
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
        Self { id, generation, arms, bytes, code_bytes, tenant_bytes_max, used_us: AtomicU64::new(0) }
    }

    /// Notes that it was used, in microseconds since the node started.
    pub(crate) fn used(&self, now_us: u64) {
        if now_us.saturating_sub(self.used_us.load(Ordering::Relaxed)) >= USE_STEP_US {
            self.used_us.store(now_us, Ordering::Relaxed);
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
    evicted: AtomicU64,
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
}

impl LoadedApps {
    pub(crate) fn new(bounds: LoadBounds, code: Arc<CodeTotals>) -> Self {
        Self {
            hosts: std::array::from_fn(|_shard| Hosts::default()),
            hasher: RandomState::new(),
            table: Mutex::new(Table { apps: HashMap::new(), bytes: 0, changes: [0; CHANGES] }),
            code,
            bounds,
            evicted: AtomicU64::new(0),
        }
    }

    /// The app that answers at a host, in lower case and without a port.
    pub(crate) fn find(&self, host: &str) -> Option<Arc<LoadedApp>> {
        self.shard(host).read().get(host).cloned()
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
        apps.sort_by_key(|app| app.used_us.load(Ordering::Relaxed));
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
            others.map(|held| (held.app.used_us.load(Ordering::Relaxed), held.app.id.clone())).collect();
        let count = ages.len().div_ceil(EVICTED_PART);
        if count == 0 {
            return;
        }
        ages.select_nth_unstable_by_key(count - 1, |(used_us, _)| *used_us);
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
mod tests {
    use super::*;
    use cumulet_spec::route::RouteTable;

    fn app(name: &str, generation: u64) -> Arc<LoadedApp> {
        let id: AppId = name.parse().unwrap();
        let cost = LoadCost { bytes: 100, code_bytes: 50, tenant_bytes_max: u64::MAX };
        Arc::new(LoadedApp::new(id, generation, Arms::One(RouteTable::default()), cost))
    }

    fn apps(bytes: u64) -> LoadedApps {
        LoadedApps::new(LoadBounds { bytes, files: 10 }, Arc::default())
    }

    fn put(apps: &LoadedApps, app: Arc<LoadedApp>, host: &str) -> Vec<Arc<LoadedApp>> {
        let since = apps.since(&app.id);
        apps.insert(app, host, since).unwrap()
    }

    #[test]
    fn what_changed_while_it_was_read_is_not_put() {
        let apps = apps(1_000);
        let since = apps.since(&"acme/shop".parse().unwrap());
        assert!(apps.remove(&"acme/shop".parse().unwrap()).is_none());
        assert!(apps.insert(app("acme/shop", 1), "shop.test", since).is_none());
        assert!(apps.find("shop.test").is_none());
        assert!(put(&apps, app("acme/shop", 2), "shop.test").is_empty());
        assert_eq!(apps.find("shop.test").unwrap().generation, 2);
    }

    #[test]
    fn a_new_deployment_takes_the_place_of_the_old_one_under_every_host() {
        let apps = apps(1_000);
        let old = app("acme/shop", 1);
        assert!(put(&apps, Arc::clone(&old), "a.test").is_empty());
        assert!(put(&apps, Arc::clone(&old), "b.test").is_empty());
        let gone = put(&apps, app("acme/shop", 2), "a.test");
        assert_eq!(gone.len(), 1);
        assert_eq!(apps.find("a.test").unwrap().generation, 2);
        assert!(apps.find("b.test").is_none(), "it is looked up anew");
        assert_eq!((apps.totals().apps, apps.totals().bytes), (1, 100));
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let apps = apps(1_600);
        for number in 0..16 {
            let app = app(&format!("acme/app-{number}"), 1);
            app.used(1_000_000 - 10_000 * number);
            assert!(put(&apps, app, &format!("{number}.test")).is_empty());
        }
        let gone = put(&apps, app("acme/new", 1), "new.test");
        assert_eq!(gone.iter().map(|app| app.id.to_string()).collect::<Vec<_>>(), ["acme/app-15"]);
        assert!(apps.find("15.test").is_none() && apps.find("14.test").is_some() && apps.find("new.test").is_some());
        assert_eq!((apps.totals().apps, apps.totals().evicted), (16, 1));
    }

    #[test]
    fn the_newcomer_stays_even_when_it_is_too_large() {
        let apps = apps(50);
        assert!(put(&apps, app("acme/large", 1), "large.test").is_empty());
        assert!(apps.find("large.test").is_some());
        assert_eq!(put(&apps, app("acme/next", 1), "next.test").len(), 1);
    }

    #[test]
    fn a_tenant_over_its_quota_evicts_its_own() {
        let apps = apps(1_000);
        let small = |name: &str, used_us| {
            let cost = LoadCost { bytes: 100, code_bytes: 50, tenant_bytes_max: 320 };
            let app = LoadedApp::new(name.parse().unwrap(), 1, Arms::One(RouteTable::default()), cost);
            app.used(used_us);
            Arc::new(app)
        };
        assert!(put(&apps, app("other/app", 1), "other.test").is_empty());
        assert!(put(&apps, small("small/old", 10_000), "old.test").is_empty());
        assert!(put(&apps, small("small/new", 20_000), "new.test").is_empty());
        let gone = put(&apps, small("small/next", 5_000), "next.test");
        assert_eq!(gone.iter().map(|app| app.id.to_string()).collect::<Vec<_>>(), ["small/old"]);
        assert!(apps.find("other.test").is_some() && apps.find("new.test").is_some());
    }

    #[test]
    fn hosts_of_one_app_are_bounded() {
        let apps = apps(1_000);
        let shop = app("acme/shop", 1);
        for number in 0..2 * HOSTS_PER_APP_MAX {
            assert!(put(&apps, Arc::clone(&shop), &format!("{number}.test")).is_empty());
        }
        let found = (0..2 * HOSTS_PER_APP_MAX).filter(|number| apps.find(&format!("{number}.test")).is_some());
        assert_eq!(found.count(), HOSTS_PER_APP_MAX);
        assert!(apps.remove(&shop.id).is_some());
        assert!((0..HOSTS_PER_APP_MAX).all(|number| apps.find(&format!("{number}.test")).is_none()));
    }
}
