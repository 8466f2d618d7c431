//! The functions that are replaced answer as SQLite's own.

use cumulet_provider::sqlite::Value;

use super::{Scratch, one, run};

/// From a SQLite that nobody changed.
fn original(statement: &str) -> rusqlite::types::Value {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.query_row(statement, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn replaced_functions_answer_as_the_original() {
    let connection = Scratch::new().database.connect();
    let arguments = [
        "NULL",
        "''",
        "'abc'",
        "'b'",
        "'abcabc'",
        "'käse'",
        "'ä'",
        "'🦀x🦀'",
        "'🦀'",
        "x''",
        "x'616263'",
        "x'62'",
        "12321",
        "1",
        "1.5",
        "-0.25",
        "1e100",
        "9e999",
        "'aaaa'",
        "'aa'",
    ];
    let mut count = 0;
    for one_argument in arguments {
        for other in arguments {
            for call in [
                format!("instr({one_argument}, {other})"),
                format!("trim({one_argument}, {other})"),
                format!("ltrim({one_argument}, {other})"),
                format!("rtrim({one_argument}, {other})"),
                format!("replace({one_argument}, {other}, 'Z')"),
                format!("replace('abcabc', {one_argument}, {other})"),
            ] {
                let statement = format!("SELECT {call}");
                let ours = match one(&connection, &statement).await {
                    Value::Integer(number) => rusqlite::types::Value::Integer(number),
                    Value::Real(number) => rusqlite::types::Value::Real(number),
                    Value::Text(text) => rusqlite::types::Value::Text(text),
                    Value::Blob(bytes) => rusqlite::types::Value::Blob(bytes),
                    Value::Null => rusqlite::types::Value::Null,
                };
                assert_eq!(ours, original(&statement), "{call}");
                count += 1;
            }
        }
    }
    assert_eq!(count, arguments.len() * arguments.len() * 6);
}

#[tokio::test]
async fn long_arguments_take_no_longer_than_reading_them() {
    // With SQLite's own functions, each of these runs for minutes or hours, and nothing can stop it.
    let connection = Scratch::new().database.connect();
    for call in [
        "instr(a, substr(a, 1, 1000000) || 'b')",
        "length(replace(a, substr(a, 1, 1000000) || 'b', ''))",
        "length(trim(a, replace(a, 'a', 'b')))",
    ] {
        run(&connection, &format!("WITH s(a) AS (SELECT printf('%.*c', 2000000, 'a')) SELECT {call} FROM s"))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn replaced_functions_work_in_an_index() {
    let scratch = Scratch::new();
    let connection = scratch.database.connect();
    run(&connection, "CREATE TABLE t (x, y AS (instr(x, 'b')))").await.unwrap();
    run(&connection, "CREATE INDEX i ON t (replace(x, 'a', 'z'))").await.unwrap();
    run(&connection, "INSERT INTO t VALUES ('abc')").await.unwrap();
    assert_eq!(one(&connection, "SELECT y FROM t WHERE replace(x, 'a', 'z') = 'zbc'").await, Value::Integer(2));
}
