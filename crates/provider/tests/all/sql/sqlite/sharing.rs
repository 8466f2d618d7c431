//! One file, several connections at once and one after another.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use cumulet_provider::sqlite::{Database, StatementError, Value};

use super::{Scratch, impatient, one, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_lose_nothing() {
    let scratch = Scratch::new();
    let setup = scratch.database.connect();
    run(&setup, "CREATE TABLE t (id INTEGER PRIMARY KEY, writer, number)").await.unwrap();
    run(&setup, "CREATE TABLE counter (value)").await.unwrap();
    run(&setup, "INSERT INTO counter VALUES (0)").await.unwrap();
    let (writers, each) = (16_i64, 10_i64);
    let mut tasks = Vec::new();
    for writer in 0..writers {
        let database = Arc::clone(&scratch.database);
        tasks.push(tokio::spawn(async move {
            for number in 0..each {
                // Each transaction is an invocation of its own, and holds the lock over four calls.
                let connection = database.connect();
                run(&connection, "BEGIN IMMEDIATE").await.unwrap();
                let values = vec![Value::Integer(writer), Value::Integer(number)];
                connection.execute("INSERT INTO t (writer, number) VALUES (?, ?)".to_owned(), values).await.unwrap();
                run(&connection, "UPDATE counter SET value = value + 1").await.unwrap();
                run(&connection, "COMMIT").await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(one(&setup, "SELECT value FROM counter").await, Value::Integer(writers * each));
    assert_eq!(
        one(&setup, "SELECT count(DISTINCT writer * 1000 + number) FROM t").await,
        Value::Integer(writers * each)
    );
}

#[tokio::test]
async fn a_transaction_is_alone_until_it_commits() {
    let scratch = Scratch::with(impatient());
    let (one_side, other) = (scratch.database.connect(), scratch.database.connect());
    run(&one_side, "CREATE TABLE t (x)").await.unwrap();
    run(&one_side, "BEGIN IMMEDIATE").await.unwrap();
    run(&one_side, "INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(one(&other, "SELECT count(*) FROM t").await, Value::Integer(0));
    assert_eq!(run(&other, "INSERT INTO t VALUES (2)").await, Err(StatementError::Busy));
    run(&one_side, "COMMIT").await.unwrap();
    run(&other, "INSERT INTO t VALUES (2)").await.unwrap();
    assert_eq!(one(&other, "SELECT count(*) FROM t").await, Value::Integer(2));

    // A snapshot that is too old is no reason to wait.
    run(&one_side, "BEGIN").await.unwrap();
    assert_eq!(one(&one_side, "SELECT count(*) FROM t").await, Value::Integer(2));
    run(&other, "INSERT INTO t VALUES (3)").await.unwrap();
    assert_eq!(one(&one_side, "SELECT count(*) FROM t").await, Value::Integer(2));
    assert_eq!(run(&one_side, "INSERT INTO t VALUES (4)").await, Err(StatementError::Busy));
}

#[tokio::test]
async fn a_transaction_that_was_left_open_is_rolled_back() {
    let scratch = Scratch::new();
    let left = scratch.database.connect();
    run(&left, "CREATE TABLE t (x)").await.unwrap();
    run(&left, "BEGIN IMMEDIATE").await.unwrap();
    run(&left, "INSERT INTO t VALUES (1)").await.unwrap();
    drop(left);
    let next = scratch.database.connect();
    run(&next, "INSERT INTO t VALUES (2)").await.unwrap();
    let rows = run(&next, "SELECT x FROM t").await.unwrap().rows;
    assert_eq!(rows, [[Value::Integer(2)]]);
}

#[tokio::test]
async fn a_connection_that_is_used_again_remembers_nothing() {
    let scratch = Scratch::new();
    let setup = scratch.database.connect();
    run(&setup, "CREATE TABLE parent (id INTEGER PRIMARY KEY)").await.unwrap();
    run(&setup, "CREATE TABLE t (id INTEGER PRIMARY KEY, parent REFERENCES parent)").await.unwrap();
    drop(setup);
    let traces = [
        "INSERT INTO t (parent) VALUES (NULL), (NULL)",
        "CREATE TEMP TABLE t AS SELECT 'mine' AS secret",
        "CREATE TABLE temp.other (x)",
        "CREATE VIRTUAL TABLE temp.found USING fts5(x)",
        "CREATE TEMP VIEW t AS SELECT 1",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA recursive_triggers = ON",
        "SAVEPOINT mine",
        "BEGIN",
    ];
    for trace in traces {
        let before = scratch.database.connect();
        run(&before, trace).await.unwrap();
        drop(before);
        // Several, so that the one that was just given back is among them.
        let after: Vec<_> = (0..3).map(|_| scratch.database.connect()).collect();
        for connection in &after {
            for (statement, expect) in [
                ("SELECT last_insert_rowid()", 0),
                ("SELECT changes()", 0),
                ("SELECT count(*) FROM sqlite_temp_schema", 0),
                ("SELECT foreign_keys FROM pragma_foreign_keys", 1),
                ("SELECT recursive_triggers FROM pragma_recursive_triggers", 0),
            ] {
                assert_eq!(one(connection, statement).await, Value::Integer(expect), "{trace}: {statement}");
            }
            assert_eq!((connection.last_insert_rowid().await, connection.changes().await), (0, 0), "{trace}");
            let error = run(connection, "COMMIT").await.unwrap_err().to_string();
            assert_eq!(error, "cannot commit - no transaction is active", "{trace}");
        }
    }
}

#[tokio::test]
async fn connections_are_bounded() {
    let scratch = Scratch::with(impatient());
    let held: Vec<_> = (0..32).map(|_| scratch.database.connect()).collect();
    for connection in &held {
        run(connection, "SELECT 1").await.unwrap();
    }
    let late = scratch.database.connect();
    assert_eq!(run(&late, "SELECT 1").await, Err(StatementError::Busy));
    drop(held);
    assert_eq!(one(&late, "SELECT 1").await, Value::Integer(1));
}

#[test]
fn the_file_is_its_owners_alone() {
    let scratch = Scratch::new();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(scratch.path().parent().unwrap()), mode(&scratch.path())), (0o700, 0o600));
    assert_eq!(mode(&scratch.folder.path().join("app/main.db-wal")), 0o600);
}

#[test]
fn what_is_no_database_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.db");
    std::fs::write(&path, "this is no database, and is long enough that SQLite reads its header as one".repeat(20))
        .unwrap();
    let error = Database::open(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot open the database {}", path.display()));
    assert_eq!(error.kind.to_string(), "SQLite refuses it");
}
