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
        assert!(put(&apps, app(&format!("acme/app-{number}"), 1), &format!("{number}.test")).is_empty());
    }
    // Loaded first, and used since.
    assert!((0..3).all(|number| apps.find(&format!("{number}.test")).is_some()));
    let gone = put(&apps, app("acme/new", 1), "new.test");
    assert_eq!(gone.iter().map(|app| app.id.to_string()).collect::<Vec<_>>(), ["acme/app-3"]);
    assert!(apps.find("3.test").is_none() && apps.find("4.test").is_some() && apps.find("new.test").is_some());
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
    let small = |name: &str| {
        let cost = LoadCost { bytes: 100, code_bytes: 50, tenant_bytes_max: 320 };
        Arc::new(LoadedApp::new(name.parse().unwrap(), 1, Arms::One(RouteTable::default()), cost))
    };
    assert!(put(&apps, app("other/app", 1), "other.test").is_empty());
    assert!(put(&apps, small("small/old"), "old.test").is_empty());
    assert!(put(&apps, small("small/new"), "new.test").is_empty());
    let gone = put(&apps, small("small/next"), "next.test");
    assert_eq!(gone.iter().map(|app| app.id.to_string()).collect::<Vec<_>>(), ["small/old"]);
    assert!(apps.find("other.test").is_some() && apps.find("new.test").is_some());
}

#[test]
fn what_nobody_uses_goes() {
    let apps = apps(1_000);
    for name in ["idle", "busy"] {
        assert!(put(&apps, app(&format!("acme/{name}"), 1), &format!("{name}.test")).is_empty());
    }
    let mark = apps.mark();
    assert!(apps.find("busy.test").is_some());
    assert!(put(&apps, app("acme/new", 1), "new.test").is_empty());
    let gone = apps.take_idle(mark);
    assert_eq!(gone.iter().map(|app| app.id.to_string()).collect::<Vec<_>>(), ["acme/idle"]);
    assert!(apps.find("idle.test").is_none() && apps.find("busy.test").is_some() && apps.find("new.test").is_some());
    assert!(apps.take_idle(mark).is_empty());
    assert_eq!((apps.totals().apps, apps.totals().unloaded, apps.totals().evicted), (2, 1, 0));
    assert_eq!(apps.take_idle(apps.mark()).len(), 2, "they were used before, and not since");
}

#[test]
fn what_nobody_uses_goes_in_bounded_parts() {
    let apps = LoadedApps::new(LoadBounds { bytes: u64::MAX, files: u64::MAX }, Arc::default());
    for number in 0..IDLE_MAX + 6 {
        assert!(put(&apps, app(&format!("acme/app-{number}"), 1), &format!("{number}.test")).is_empty());
    }
    let mark = apps.mark();
    assert_eq!([apps.take_idle(mark).len(), apps.take_idle(mark).len(), apps.take_idle(mark).len()], [IDLE_MAX, 6, 0]);
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
