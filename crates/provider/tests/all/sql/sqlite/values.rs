//! What goes in and what comes out.

use cumulet_provider::sqlite::{StatementError, Value};

use super::{Scratch, one, run};

#[tokio::test]
async fn values_return_as_they_were_given() {
    let scratch = Scratch::new();
    let connection = scratch.database.connect();
    run(&connection, "CREATE TABLE t (x)").await.unwrap();
    for value in [
        Value::Integer(i64::MIN),
        Value::Integer(i64::MAX),
        Value::Real(0.1),
        Value::Real(f64::MAX),
        Value::Text(String::new()),
        Value::Text("a\0b \u{1f980}".to_owned()),
        Value::Blob(Vec::new()),
        Value::Blob((0..=255).collect()),
        Value::Null,
    ] {
        connection.execute("DELETE FROM t".to_owned(), Vec::new()).await.unwrap();
        let insertion = connection.execute("INSERT INTO t VALUES (?1)".to_owned(), vec![value.clone()]).await.unwrap();
        assert!(insertion.columns.is_empty() && insertion.rows.is_empty(), "{insertion:?}");
        let rows = run(&connection, "SELECT x, typeof(x) AS kind FROM t").await.unwrap();
        assert_eq!(rows.columns, ["x", "kind"]);
        assert_eq!(rows.rows[0][0], value);
    }
}

#[tokio::test]
async fn a_number_that_is_none_becomes_null() {
    let connection = Scratch::new().database.connect();
    let rows = connection.execute("SELECT ?".to_owned(), vec![Value::Real(f64::NAN)]).await.unwrap();
    assert_eq!(rows.rows[0][0], Value::Null);
}

#[tokio::test]
async fn a_query_without_rows_still_names_its_columns() {
    let connection = Scratch::new().database.connect();
    let rows = run(&connection, "SELECT 1 AS one, 2 AS two WHERE 0").await.unwrap();
    assert_eq!((rows.columns, rows.rows.len()), (vec!["one".to_owned(), "two".to_owned()], 0));
}

#[tokio::test]
async fn rowid_and_changes_are_those_of_the_connection() {
    let scratch = Scratch::new();
    let connection = scratch.database.connect();
    assert_eq!((connection.last_insert_rowid().await, connection.changes().await), (0, 0));
    run(&connection, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)").await.unwrap();
    run(&connection, "INSERT INTO t VALUES (41, 1), (42, 1), (43, 2)").await.unwrap();
    assert_eq!((connection.last_insert_rowid().await, connection.changes().await), (43, 3));
    run(&connection, "UPDATE t SET x = 3 WHERE x = 1").await.unwrap();
    assert_eq!((connection.last_insert_rowid().await, connection.changes().await), (43, 2));
}

#[tokio::test]
async fn a_table_that_another_connection_widened_is_read_whole() {
    let scratch = Scratch::new();
    let (one, two) = (scratch.database.connect(), scratch.database.connect());
    run(&one, "CREATE TABLE t (a)").await.unwrap();
    run(&one, "INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(run(&two, "SELECT * FROM t").await.unwrap().columns, ["a"]);
    run(&one, "ALTER TABLE t ADD COLUMN b DEFAULT 2").await.unwrap();
    let rows = run(&two, "SELECT * FROM t").await.unwrap();
    assert_eq!((rows.columns.len(), rows.rows[0].len()), (2, 2));
}

#[tokio::test]
async fn what_a_statement_gets_wrong_is_said_in_words() {
    let scratch = Scratch::new();
    let connection = scratch.database.connect();
    run(&connection, "CREATE TABLE parent (id INTEGER PRIMARY KEY)").await.unwrap();
    let table = "CREATE TABLE u (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (name <> ''), \
                 parent REFERENCES parent)";
    run(&connection, table).await.unwrap();
    run(&connection, "INSERT INTO u (id, name) VALUES (1, 'a')").await.unwrap();
    let cases: [(&str, Vec<Value>, &str); 11] = [
        ("INSERT INTO u (id, name) VALUES (1, 'b')", vec![], "UNIQUE constraint failed: u.id"),
        ("INSERT INTO u (name) VALUES ('a')", vec![], "UNIQUE constraint failed: u.name"),
        ("INSERT INTO u (name) VALUES (NULL)", vec![], "NOT NULL constraint failed: u.name"),
        ("INSERT INTO u (name) VALUES ('')", vec![], "CHECK constraint failed: name <> ''"),
        ("INSERT INTO u (name, parent) VALUES ('c', 9)", vec![], "FOREIGN KEY constraint failed"),
        ("SELEC 1", vec![], "near \"SELEC\": syntax error"),
        ("SELECT * FROM nowhere", vec![], "no such table: nowhere"),
        ("SELECT ?, ?", vec![Value::Null], "the statement has 2 parameters, and 1 were given"),
        ("SELECT 1", vec![Value::Null], "the statement has 0 parameters, and 1 were given"),
        ("  -- nothing", vec![], "there is no statement"),
        ("SELECT CAST(x'ff' AS TEXT)", vec![], "a text is not UTF-8; read it as a BLOB"),
    ];
    for (statement, parameters, expect) in cases {
        let error = connection.execute(statement.to_owned(), parameters).await.unwrap_err();
        assert_eq!(error, StatementError::Statement(expect.to_owned()), "{statement}");
    }
    assert_eq!(one(&connection, "SELECT count(*) FROM u").await, Value::Integer(1));
}

#[tokio::test]
async fn full_text_search_and_json_work() {
    let scratch = Scratch::new();
    let connection = scratch.database.connect();
    run(&connection, "CREATE VIRTUAL TABLE f USING fts5(text)").await.unwrap();
    run(&connection, "INSERT INTO f VALUES ('the quick brown fox'), ('a lazy dog')").await.unwrap();
    assert_eq!(
        one(&connection, "SELECT highlight(f, 0, '<', '>') FROM f WHERE f MATCH 'quick'").await,
        Value::Text("the <quick> brown fox".to_owned())
    );
    assert_eq!(one(&connection, "SELECT '{\"a\":[1,2]}' ->> '$.a[1]'").await, Value::Integer(2));
    assert_eq!(one(&connection, "SELECT sum(value) FROM json_each('[1,2,3]')").await, Value::Integer(6));
}
