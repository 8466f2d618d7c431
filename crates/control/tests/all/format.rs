//! What an earlier release left behind is brought to the format of this one.

use std::fs;
use std::path::Path;

use cumulet_control::{ChangeErrorKind, ChangeNumber, Deploy, Registry, RevisionNumber};
use cumulet_spec::id::Digest;
use cumulet_spec::traffic::Traffic;

use super::fixture::{answering, app, deploy, host, hosts, key, rollback, tenant};

fn old(folder: &Path) {
    let database = rusqlite::Connection::open(folder.join("registry.db")).unwrap();
    database.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    database.execute_batch(include_str!("../data/format-1.sql")).unwrap();
}

fn schema(folder: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(folder.join("registry.db")).unwrap();
    let mut statement = database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    let tables = statement.query_map((), |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
    tables.map(|sql| sql.split_whitespace().collect::<Vec<_>>().join(" ").replace(" ,", ",")).collect()
}

#[test]
fn format_1_is_read_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    old(folder.path());
    for _ in 0..2 {
        let registry = Registry::open(folder.path()).unwrap();
        assert_eq!(registry.count().unwrap(), 2);
        let found = registry.find(&tenant("acme"), &app("shop")).unwrap().unwrap();
        assert_eq!((found.generation, found.leading().revision.version.as_deref()), (ChangeNumber(4), Some("a")));
        assert_eq!(registry.find_host("c.example").unwrap(), Some((tenant("acme"), app("blog"))));
        let log = registry.changes(ChangeNumber(2), 10).unwrap();
        assert_eq!((log.len(), log.iter().any(|row| row.by.is_some())), (5, false));
        // Numbered in the order in which they were deployed last.
        let rows = registry.revisions(&tenant("acme"), &app("shop"), None, 10).unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.number, row.percent, row.at_us, row.by.clone())).collect();
        let expect = [(3, 100, 4), (2, 0, 3), (1, 0, 2)];
        assert_eq!(
            found,
            expect.map(|(number, share, at)| (RevisionNumber(number), share, 1_700_000_000_000_000 + at, None))
        );
    }
    let registry = Registry::open(folder.path()).unwrap();
    let ids: Vec<Digest> = {
        let rows = registry.revisions(&tenant("acme"), &app("shop"), None, 10).unwrap();
        rows.iter().rev().map(|row| row.digest).collect()
    };
    let hosts_of_shop = || registry.hosts(&tenant("acme"), &app("shop")).unwrap();
    registry.rollback(&rollback(None)).unwrap();
    assert_eq!((answering(&registry), hosts_of_shop()), (Traffic::all(ids[1]), Vec::new()));
    registry.rollback(&rollback(None)).unwrap();
    assert_eq!((answering(&registry), hosts_of_shop()), (Traffic::all(ids[2]), hosts(&["a.example"])));
    // The entry of the log that names its hosts is damaged.
    registry.rollback(&rollback(Some("r1"))).unwrap();
    assert_eq!((answering(&registry), hosts_of_shop()), (Traffic::all(ids[0]), Vec::new()));
    let done = registry.deploy(&deploy("acme", "shop", "new")).unwrap();
    assert_eq!((done.number, answering(&registry)), (ChangeNumber(11), Traffic::all(done.revision)));
    assert_eq!(registry.revisions(&tenant("acme"), &app("shop"), None, 1).unwrap()[0].number, RevisionNumber(4));
    let reused = Deploy { idempotency_key: key("k1"), hosts: vec![host("a.example")], ..deploy("acme", "shop", "1") };
    let error = registry.deploy(&reused).unwrap_err();
    assert!(matches!(error.kind, ChangeErrorKind::KeyReused { .. }), "{error:?}");
}

#[test]
fn a_new_file_and_an_old_one_are_alike() {
    let (new, brought) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    old(brought.path());
    for folder in [&new, &brought] {
        drop(Registry::open(folder.path()).unwrap());
    }
    assert_eq!(schema(brought.path()), schema(new.path()));
}

#[test]
fn a_file_that_cannot_be_brought_here_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    old(folder.path());
    let path = folder.path().join("registry.db");
    // A table of the next format is in the way of the last step.
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch("CREATE TABLE audit (mine)").unwrap();
    let before = schema(folder.path());
    Registry::open(folder.path()).unwrap_err();
    assert_eq!(schema(folder.path()), before);
    database.execute_batch("DROP TABLE audit").unwrap();
    drop(database);
    assert_eq!(Registry::open(folder.path()).unwrap().count().unwrap(), 2);
    assert!(fs::metadata(path).unwrap().len() > 0);
}
