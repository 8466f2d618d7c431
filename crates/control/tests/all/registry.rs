//! What the registry promises of apps that are deployed in one step, on a real file.

use std::fs;
use std::path::Path;

use cumulet_control::{
    Change, ChangeErrorKind, ChangeNumber, Deploy, Deployed, FindError, HOSTS_MAX, Registry, RegistryErrorKind, Remove,
};
use cumulet_spec::id::{AppName, Digest};
use cumulet_spec::token::Actor;

use super::fixture::{app, chain, content, deploy, host, key, remove, revision, tenant, with_registry};

#[test]
fn what_was_deployed_is_found_after_a_restart() {
    with_registry(|folder, registry| {
        let done = registry.deploy(&Deploy { hosts: vec![host("Shop.Example.com")], ..deploy("acme", "shop", "1") });
        let done = done.unwrap();
        assert_eq!(done, Deployed { number: ChangeNumber(1), revision: revision("shop", "1").id() });
        for registry in [registry, &Registry::open(folder).unwrap()] {
            let found = registry.find(&tenant("acme"), &app("shop")).unwrap().unwrap();
            assert_eq!((found.generation, found.leading().id), (done.number, done.revision));
            assert_eq!(found.leading().revision, revision("shop", "1"));
            assert_eq!((found.arms().len(), found.traffic.only()), (1, Some(&done.revision)));
            assert_eq!(registry.find_host("shop.example.com").unwrap(), Some((tenant("acme"), app("shop"))));
            assert_eq!(registry.hosts(&tenant("acme"), &app("shop")).unwrap(), [host("shop.example.com")]);
            assert_eq!(content(registry, "acme", "other"), None);
            assert_eq!(content(registry, "other", "shop"), None);
            assert_eq!(registry.count().unwrap(), 1);
        }
    });
}

#[test]
fn a_removed_app_leaves_nothing_but_the_log() {
    with_registry(|_, registry| {
        registry.deploy(&Deploy { hosts: vec![host("a.example")], ..deploy("acme", "shop", "1") }).unwrap();
        assert_eq!(registry.remove(&remove("acme", "shop")).unwrap(), ChangeNumber(2));
        assert_eq!(content(registry, "acme", "shop"), None);
        assert_eq!(registry.find_host("a.example").unwrap(), None);
        assert_eq!(registry.count().unwrap(), 0);
        let again = registry.remove(&remove("acme", "shop")).unwrap_err();
        assert!(matches!(again.kind, ChangeErrorKind::NotDeployed), "{again:?}");
        assert_eq!(registry.deploy(&deploy("acme", "shop", "1")).unwrap().number, ChangeNumber(3));
        let log = registry.changes(ChangeNumber(1), 10).unwrap();
        assert!(log.iter().all(|row| row.tenant == Some(tenant("acme")) && row.by == Some(Actor::Node)));
        let log: Vec<_> = log.into_iter().map(|row| (row.number, row.change)).collect();
        let deployed = Change::Deploy {
            app: app("shop"),
            revision: revision("shop", "1").id(),
            hosts: Vec::new(),
            traffic: None,
            deploy: None,
        };
        let expect = [(ChangeNumber(2), Change::Remove { app: app("shop") }), (ChangeNumber(3), deployed)];
        assert_eq!(log, expect);
    });
}

#[test]
fn a_request_that_is_sent_again_gets_the_same_answer() {
    with_registry(|folder, registry| {
        let first = Deploy { idempotency_key: key("k1"), ..deploy("acme", "shop", "1") };
        let done = registry.deploy(&first).unwrap();
        registry.deploy(&deploy("acme", "shop", "2")).unwrap();
        let later = Deploy { at_us: first.at_us + 5, ..first.clone() };
        assert_eq!(Registry::open(folder).unwrap().deploy(&later).unwrap(), done);
        assert_eq!(content(registry, "acme", "shop"), Some(revision("shop", "2")), "it was done twice");

        let other = Deploy { idempotency_key: key("k1"), ..deploy("acme", "shop", "3") };
        let error = registry.deploy(&other).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::KeyReused { .. }), "{error:?}");
        let error = registry.remove(&Remove { idempotency_key: key("k1"), ..remove("acme", "shop") }).unwrap_err();
        assert!(matches!(error.kind, ChangeErrorKind::KeyReused { .. }), "{error:?}");
        // Each tenant has keys of its own.
        registry.deploy(&Deploy { idempotency_key: key("k1"), ..deploy("other", "shop", "3") }).unwrap();

        let gone = Remove { idempotency_key: key("k2"), ..remove("acme", "shop") };
        let number = registry.remove(&gone).unwrap();
        assert_eq!(registry.remove(&gone).unwrap(), number);
    });
}

#[test]
fn a_change_in_between_is_noticed() {
    with_registry(|_, registry| {
        let expecting = |content: &str, expected: ChangeNumber| Deploy {
            expected_generation: Some(expected),
            ..deploy("acme", "shop", content)
        };
        let first = registry.deploy(&expecting("1", ChangeNumber::NONE)).unwrap().number;
        let error = registry.deploy(&expecting("2", ChangeNumber::NONE)).unwrap_err();
        let ChangeErrorKind::Generation { expected, found } = error.kind else { panic!("{error:?}") };
        assert_eq!((expected, found), (ChangeNumber::NONE, first));
        let second = registry.deploy(&expecting("2", first)).unwrap().number;
        registry.remove(&remove("acme", "shop")).unwrap();
        registry.deploy(&deploy("acme", "shop", "1")).unwrap();
        assert!(registry.deploy(&expecting("3", second)).is_err(), "an app that was removed between");
        assert_eq!(content(registry, "acme", "shop"), Some(revision("shop", "1")));
    });
}

#[test]
fn a_host_has_one_app() {
    with_registry(|_, registry| {
        let with = |tenant: &str, name: &str, hosts: &[&str]| Deploy {
            hosts: hosts.iter().map(|name| host(name)).collect(),
            ..deploy(tenant, name, "1")
        };
        registry.deploy(&with("acme", "shop", &["a.example", "b.example", "a.example"])).unwrap();
        for (tenant, name) in [("evil", "shop"), ("acme", "blog")] {
            let error = registry.deploy(&with(tenant, name, &["c.example", "b.example"])).unwrap_err();
            let is_own = tenant == "acme";
            assert_eq!(matches!(error.kind, ChangeErrorKind::HostTaken { .. }), is_own, "{error:?}");
            assert_eq!(matches!(error.kind, ChangeErrorKind::HostElsewhere { .. }), !is_own, "{error:?}");
            assert_eq!(content(registry, tenant, name), None, "it was done in part");
            assert_eq!(registry.find_host("c.example").unwrap(), None, "it was done in part");
        }
        registry.deploy(&with("acme", "shop", &["a.example"])).unwrap();
        registry.deploy(&with("acme", "blog", &["b.example"])).unwrap();
        assert_eq!(registry.find_host("b.example").unwrap(), Some((tenant("acme"), app("blog"))));
    });
}

#[test]
fn all_are_deployed_or_none() {
    with_registry(|_, registry| {
        let mut many: Vec<Deploy> = (0..2_500).map(|number| deploy("acme", &format!("app-{number}"), "1")).collect();
        many.last_mut().unwrap().hosts = (0..=HOSTS_MAX).map(|number| host(&format!("h{number}.example"))).collect();
        let error = registry.deploy_all(&many).unwrap_err();
        assert_eq!((error.app, registry.count().unwrap()), (app("app-2499"), 0));
        many.last_mut().unwrap().hosts.pop();
        let done = registry.deploy_all(&many).unwrap();
        assert_eq!((done.len(), registry.count().unwrap()), (2_500, 2_500));
        assert_eq!(content(registry, "acme", "app-1234"), Some(revision("app-1234", "1")));

        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = registry.apps(after.as_ref().map(|(tenant, app)| (tenant, app)), 700).unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.tenant.clone(), last.app.clone()));
            seen.extend(page.into_iter().map(|row| (row.app, row.generation, row.revision.unwrap())));
        }
        let mut expect: Vec<(AppName, ChangeNumber, Digest)> = many
            .iter()
            .zip(&done)
            .map(|(deploy, done)| (deploy.revision.app.clone(), done.number, done.revision))
            .collect();
        expect.sort();
        assert!(seen == expect, "the pages do not add up");
        assert!(registry.deploy_all(&[]).unwrap().is_empty());
    });
}

#[test]
fn only_the_last_revisions_are_kept() {
    with_registry(|folder, registry| {
        for number in 0..40 {
            registry.deploy(&deploy("acme", "shop", &number.to_string())).unwrap();
        }
        registry.deploy(&deploy("acme", "blog", "1")).unwrap();
        registry.deploy(&deploy("acme", "shop", "30")).unwrap();
        assert_eq!(content(registry, "acme", "shop"), Some(revision("shop", "30")));
        let database = rusqlite::Connection::open(folder.join("registry.db")).unwrap();
        let kept: i64 = database.query_row("SELECT count(*) FROM revisions", (), |row| row.get(0)).unwrap();
        // Those that others may be led back to, what answers, what answered before; and the other app's.
        assert_eq!(kept, 16 + 1 + 1 + 1);
    });
}

#[test]
fn a_damaged_row_costs_its_app_alone() {
    let ways = [
        "UPDATE revisions SET written = CAST(replace(CAST(written AS TEXT), 'front', 'fromt') AS BLOB) WHERE app = 'shop'",
        "UPDATE revisions SET written = x'00' WHERE app = 'shop'",
        "UPDATE revisions SET digest = x'0102' WHERE app = 'shop'",
        "DELETE FROM revisions WHERE app = 'shop'",
        "UPDATE apps SET revision = (SELECT id FROM revisions WHERE app = 'blog') WHERE app = 'shop'",
        "UPDATE apps SET generation = -1 WHERE app = 'shop'",
        "UPDATE apps SET traffic = 'nonsense' WHERE app = 'shop'",
        "UPDATE apps SET traffic = '{\"arms\":[]}' WHERE app = 'shop'",
    ];
    for way in ways {
        with_registry(|folder, registry| {
            registry.deploy(&deploy("acme", "shop", "1")).unwrap();
            registry.deploy(&deploy("acme", "blog", "1")).unwrap();
            let database = rusqlite::Connection::open(folder.join("registry.db")).unwrap();
            assert_eq!(database.execute(way, ()).unwrap(), 1, "{way}");
            let error = registry.find(&tenant("acme"), &app("shop")).unwrap_err();
            assert!(matches!(error, FindError::Damaged { .. }), "{way}: {error:?}");
            assert_eq!(content(registry, "acme", "blog"), Some(revision("blog", "1")), "{way}");
            assert_eq!(registry.apps(None, 10).unwrap().len(), 2, "{way}");
            registry.deploy(&deploy("acme", "shop", "1")).unwrap();
            assert_eq!(content(registry, "acme", "shop"), Some(revision("shop", "1")), "{way}: not healed");
        });
    }
}

#[test]
fn damaged_pages_cost_the_apps_on_them_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let apps: Vec<String> = (0..400).map(|number| format!("app-{number}")).collect();
    let many: Vec<Deploy> = apps.iter().map(|name| deploy("acme", name, "1")).collect();
    Registry::open(folder.path()).unwrap().deploy_all(&many).unwrap();
    let path = folder.path().join("registry.db");
    let good = fs::read(&path).unwrap();
    let pages = good.len() / 4096;
    // The first page says what the file is: without it nothing can be read.
    for page in (1..pages).step_by(7) {
        let mut bytes = good.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        let Ok(registry) = Registry::open(folder.path()) else { continue };
        let served =
            apps.iter().filter(|name| registry.find(&tenant("acme"), &app(name)).is_ok_and(|found| found.is_some()));
        let whole: Vec<_> = served.collect();
        assert!(whole.iter().all(|name| content(&registry, "acme", name) == Some(revision(name, "1"))));
    }
}

#[test]
fn a_file_that_is_not_ours_is_left_alone() {
    let check = |prepare: &dyn Fn(&Path), expect: fn(&RegistryErrorKind) -> bool| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.db");
        prepare(&path);
        let before = fs::read(&path).ok();
        let error = Registry::open(folder.path()).unwrap_err();
        assert!(expect(&error.kind), "{error:?}");
        assert_eq!(fs::read(&path).ok(), before);
        chain(&error).replace(path.to_str().unwrap(), "DATA/registry.db")
    };
    let sql = |path: &Path, sql: &str| rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    let newer = check(
        &|path| {
            drop(Registry::open(path.parent().unwrap()).unwrap());
            sql(path, "PRAGMA user_version = 4");
        },
        |kind| matches!(kind, RegistryErrorKind::Newer { found: 4, known: 3 }),
    );
    let text = check(&|path| fs::write(path, "not a database ".repeat(99)).unwrap(), |kind| {
        matches!(kind, RegistryErrorKind::Foreign)
    });
    let foreign = check(&|path| sql(path, "CREATE TABLE mine (a)"), |kind| matches!(kind, RegistryErrorKind::Foreign));
    let folder = check(&|path| fs::create_dir(path).unwrap(), |kind| matches!(kind, RegistryErrorKind::ReadOnly(_)));
    assert_eq!(text, foreign);
    insta::assert_snapshot!([newer, text, folder].join("\n"));
}

#[test]
fn an_error_says_what_to_do() {
    with_registry(|_, registry| {
        let first = Deploy { hosts: vec![host("a.example")], idempotency_key: key("k"), ..deploy("acme", "shop", "1") };
        registry.deploy(&first).unwrap();
        let taken = Deploy { hosts: first.hosts.clone(), ..deploy("evil", "blog", "1") };
        let reused = Deploy { idempotency_key: key("k"), ..deploy("acme", "shop", "2") };
        let stale = Deploy { expected_generation: Some(ChangeNumber(7)), ..deploy("acme", "shop", "2") };
        let mut large = deploy("acme", "shop", "2");
        large.revision.version = Some("x".repeat(1 << 20));
        let elsewhere = Deploy { hosts: first.hosts.clone(), ..deploy("acme", "blog", "1") };
        let mut lines: Vec<String> = [taken, elsewhere, reused, stale, large]
            .iter()
            .map(|bad| chain(&registry.deploy(bad).unwrap_err()))
            .collect();
        lines.push(chain(&registry.remove(&remove("acme", "none")).unwrap_err()));
        insta::assert_snapshot!(lines.join("\n"));
        assert_eq!(registry.changes(ChangeNumber::NONE, 10).unwrap().len(), 1, "a refused request left something");
    });
}

#[test]
fn threads_read_while_others_write() {
    with_registry(|_, registry| {
        registry.deploy(&deploy("acme", "shop", "0")).unwrap();
        let write = || {
            (1..40).for_each(|number| assert!(registry.deploy(&deploy("acme", "shop", &number.to_string())).is_ok()))
        };
        let read = || {
            let mut last = ChangeNumber::NONE;
            for _ in 0..400 {
                let found = registry.find(&tenant("acme"), &app("shop")).unwrap().unwrap();
                assert!(found.generation >= last && found.leading().id == found.leading().revision.id());
                last = found.generation;
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(write);
            }
            for _ in 0..6 {
                scope.spawn(read);
            }
        });
        assert_eq!(registry.changes(ChangeNumber::NONE, 1_000).unwrap().len(), 79);
    });
}

/// The form in which changes are kept, which later releases read.
#[test]
fn the_written_form_stays() {
    with_registry(|folder, registry| {
        registry
            .deploy(&Deploy {
                hosts: vec![host("a.example")],
                idempotency_key: key("k"),
                ..deploy("acme", "shop", "1")
            })
            .unwrap();
        registry.remove(&remove("acme", "shop")).unwrap();
        let database = rusqlite::Connection::open(folder.join("registry.db")).unwrap();
        let mut statement = database
            .prepare("SELECT number || ' ' || hex(request) || ' ' || made_by || ' ' || what FROM changes")
            .unwrap();
        let changes: Vec<String> = statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut statement = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").unwrap();
        let schema: Vec<String> = statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        insta::assert_snapshot!(format!("{}\n\n{}", changes.join("\n"), schema.join("\n")));
    });
}
