//! Errors, time, rows and bytes.

use std::time::Duration;

use cumulet_provider::postgres::{Limits, PostgresError, ROWS_MAX, Server, Value};

use super::{Instance, one, run};

fn impatient() -> Limits {
    Limits { statement_time: Duration::from_millis(200), ..Limits::default() }
}

#[tokio::test]
async fn the_servers_errors_keep_their_fields() {
    let Some(instance) = Instance::start() else { return };
    let connection = instance.server(Limits::default()).await.connect().await.unwrap();
    run(&connection, "CREATE TABLE t (id integer PRIMARY KEY)").await.unwrap();
    let changed = connection.execute("INSERT INTO t VALUES (1), (2)".to_owned(), vec![]).await.unwrap();
    assert_eq!(changed, 2);
    let PostgresError::Query(error) = run(&connection, "INSERT INTO t VALUES (1)").await.unwrap_err() else { panic!() };
    assert_eq!((error.severity.as_str(), error.code.as_str()), ("ERROR", "23505"));
    assert_eq!(error.message, "duplicate key value violates unique constraint \"t_pkey\"");
    assert_eq!(error.detail.as_deref(), Some("Key (id)=(1) already exists."));
    let extra = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(error.extras, [extra("schema", "public"), extra("table", "t"), extra("constraint", "t_pkey")]);
    for (statement, code) in [
        ("SELEC 1", "42601"),
        ("SELECT * FROM nowhere", "42P01"),
        ("SELECT 1; SELECT 2", "42601"),
        ("SELECT 1/0", "22012"),
    ] {
        let error = run(&connection, statement).await.unwrap_err();
        assert!(matches!(&error, PostgresError::Query(error) if error.code == code), "{statement}: {error:?}");
    }
}

#[tokio::test]
async fn endless_statements_are_stopped_whatever_the_guest_sets() {
    let Some(instance) = Instance::start() else { return };
    let server = instance.server(impatient()).await;
    let connection = server.connect().await.unwrap();
    let error = run(&connection, "SELECT pg_sleep(600)").await.unwrap_err();
    assert!(matches!(&error, PostgresError::Query(error) if error.code == "57014"), "{error:?}");
    run(&connection, "SET statement_timeout = 0").await.unwrap();
    let error = run(&connection, "SELECT pg_sleep(600)").await.unwrap_err();
    assert!(matches!(error, PostgresError::TooLong(_)), "{error:?}");
    assert!(matches!(run(&connection, "SELECT 1").await, Err(PostgresError::Connection(_))));
    nothing_sleeps(&server).await;
}

#[tokio::test]
async fn a_dropped_future_cancels_its_statement() {
    let Some(instance) = Instance::start() else { return };
    let server = instance.server(Limits { statement_time: Duration::from_secs(600), ..Limits::default() }).await;
    let connection = server.connect().await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_millis(100), run(&connection, "SELECT pg_sleep(600)")).await;
    assert!(dropped.is_err(), "{dropped:?}");
    nothing_sleeps(&server).await;
}

/// Returns once no statement sleeps on the server any more.
async fn nothing_sleeps(server: &std::sync::Arc<Server>) {
    let observer = server.connect().await.unwrap();
    let statement = "SELECT count(*) FROM pg_stat_activity \
                     WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()";
    let gone = async {
        while one(&observer, statement, vec![]).await != Value::Int64(0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("the statement was cancelled");
}

#[tokio::test]
async fn rows_and_bytes_are_bounded() {
    let Some(instance) = Instance::start() else { return };
    let server = instance.server(Limits::default()).await;
    let connection = server.connect().await.unwrap();
    let rows = run(&connection, &format!("SELECT generate_series(1, {ROWS_MAX})")).await.unwrap();
    assert_eq!(rows.rows.len(), ROWS_MAX);
    for statement in [
        "SELECT generate_series(1, 100000000)",
        "SELECT repeat('x', 1000000) FROM generate_series(1, 9)",
        "SELECT NULL::int, NULL::int, NULL::int, NULL::int, NULL::int, NULL::int, NULL::int, NULL::int, NULL::int, \
         NULL::int, repeat('x', 700) FROM generate_series(1, 9999)",
    ] {
        let connection = server.connect().await.unwrap();
        assert_eq!(run(&connection, statement).await, Err(PostgresError::TooLarge), "{statement}");
    }
}

#[tokio::test]
async fn what_is_not_a_query_does_not_hang() {
    let Some(instance) = Instance::start() else { return };
    let server = instance.server(impatient()).await;
    for statement in ["COPY (SELECT 1) TO STDOUT", "CREATE TEMP TABLE c (x text)", "", "-- nothing", "LISTEN x"] {
        let connection = server.connect().await.unwrap();
        // What each answers is the server's business; that it answers is ours.
        drop(run(&connection, statement).await);
        drop(connection);
        assert_eq!(one(&server.connect().await.unwrap(), "SELECT 1", vec![]).await, Value::Int32(1), "{statement}");
    }
}

#[tokio::test]
async fn an_address_is_never_repeated() {
    for address in [
        "",
        "http://user:secret-word@host/",
        "postgres://user:secret-word@host:port/db",
        "postgres://user@host/db?secret-word=1",
    ] {
        let error = format!("{:?}", Server::new(address).unwrap_err());
        assert!(!error.contains("secret-word"), "{error}");
    }
    let server = Server::new("postgres://user:secret-word@host.invalid/db").unwrap();
    assert!(!format!("{server:?}").contains("secret-word"));
    let error = server.connect().await.unwrap_err();
    assert!(matches!(&error, PostgresError::Connection(text) if !text.contains("secret-word")), "{error:?}");
}
