//! Time, rows, bytes, size.

use std::time::Duration;

use cumulet_provider::sqlite::{Limits, ROWS_MAX, StatementError, Value};

use super::{Scratch, impatient, one, run};

const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

#[tokio::test]
async fn endless_statements_are_stopped() {
    let scratch = Scratch::with(impatient());
    let connection = scratch.database.connect();
    run(&connection, "CREATE TABLE t (x)").await.unwrap();
    // Views over views: the statement is small, and preparing it never ends.
    run(&connection, "CREATE VIEW v0 AS SELECT 1 AS x").await.unwrap();
    for level in 1..40 {
        let below = level - 1;
        let view = format!("CREATE VIEW v{level} AS SELECT x FROM v{below} UNION SELECT x FROM v{below}");
        run(&connection, &view).await.unwrap();
    }
    for statement in [
        ENDLESS,
        "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "WITH n(i) AS (SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9,10]')) \
         SELECT count(*) FROM n, n, n, n, n, n, n, n, n, n, n, n",
    ] {
        assert_eq!(run(&connection, statement).await, Err(StatementError::TooLong(100)), "{statement}");
    }
    let expanded = run(&connection, "SELECT * FROM v39").await.unwrap_err();
    assert!(matches!(expanded, StatementError::TooLong(100) | StatementError::Statement(_)), "{expanded:?}");
    assert_eq!(one(&connection, "SELECT count(*) FROM t").await, Value::Integer(0));
}

#[tokio::test]
async fn a_dropped_future_stops_its_statement() {
    let scratch = Scratch::with(Limits { statement_time: Duration::from_secs(3_600), ..Limits::default() });
    let connection = scratch.database.connect();
    for _ in 0..3 {
        let dropped = tokio::time::timeout(Duration::from_millis(20), run(&connection, ENDLESS)).await;
        assert!(dropped.is_err(), "{dropped:?}");
        // The same connection: this waits until the statement before it has ended.
        assert_eq!(one(&connection, "SELECT 1").await, Value::Integer(1));
    }
}

#[tokio::test]
async fn rows_and_bytes_are_bounded() {
    let connection = Scratch::new().database.connect();
    let numbers = |count: usize, column: &str| {
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count}) SELECT {column} FROM n")
    };
    assert_eq!(run(&connection, &numbers(ROWS_MAX, "i")).await.unwrap().rows.len(), ROWS_MAX);
    for statement in [
        numbers(ROWS_MAX + 1, "i"),
        numbers(9, "randomblob(1000000)"),
        // 9,000 rows of 100 NULLs have hardly any bytes, and would fill memory.
        numbers(9_000, &vec!["NULL"; 100].join(",")),
    ] {
        assert_eq!(run(&connection, &statement).await, Err(StatementError::TooLarge), "{statement}");
    }
}

#[tokio::test]
async fn an_insertion_that_returns_too_much_inserts_nothing() {
    let scratch = Scratch::new();
    let connection = scratch.database.connect();
    run(&connection, "CREATE TABLE t (x)").await.unwrap();
    let insertion = |count: usize| {
        format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count}) \
             INSERT INTO t SELECT i FROM n RETURNING x"
        )
    };
    assert_eq!(run(&connection, &insertion(ROWS_MAX + 1)).await, Err(StatementError::TooLarge));
    assert_eq!(one(&connection, "SELECT count(*) FROM t").await, Value::Integer(0));
    run(&connection, "BEGIN").await.unwrap();
    run(&connection, "INSERT INTO t VALUES (0)").await.unwrap();
    assert_eq!(run(&connection, &insertion(ROWS_MAX + 1)).await, Err(StatementError::TooLarge));
    assert_eq!(run(&connection, &insertion(3)).await.unwrap().rows.len(), 3);
    run(&connection, "COMMIT").await.unwrap();
    assert_eq!(one(&connection, "SELECT count(*) FROM t").await, Value::Integer(4));
}

#[tokio::test]
async fn a_database_that_is_full_says_so_and_goes_on() {
    let scratch = Scratch::with(Limits { size_bytes_max: 1 << 20, ..Limits::default() });
    let connection = scratch.database.connect();
    run(&connection, "CREATE TABLE t (x)").await.unwrap();
    let mut inserted = 0;
    let error = loop {
        match run(&connection, "INSERT INTO t VALUES (randomblob(100000))").await {
            Ok(_) => inserted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error, inserted), (StatementError::Full, 10));
    assert_eq!(one(&connection, "SELECT count(*) FROM t").await, Value::Integer(10));
    run(&connection, "DELETE FROM t WHERE rowid = 1").await.unwrap();
    run(&connection, "INSERT INTO t VALUES (randomblob(90000))").await.unwrap();
    drop(connection);
    let reopened = cumulet_provider::sqlite::Database::open_with(&scratch.path(), impatient()).unwrap().connect();
    assert_eq!(run(&reopened, "INSERT INTO t VALUES (randomblob(200000))").await, Err(StatementError::Full));
}
