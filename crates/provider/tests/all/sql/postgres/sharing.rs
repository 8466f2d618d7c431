//! Connections at once and one after another.

use std::time::Duration;

use cumulet_provider::postgres::{Limits, PostgresError, Value};

use super::{Instance, one, run};

#[tokio::test]
async fn a_transaction_is_alone_until_it_commits() {
    let Some(instance) = Instance::start() else { return };
    let server = instance.server(Limits::default()).await;
    let (first, other) = (server.connect().await.unwrap(), server.connect().await.unwrap());
    run(&first, "CREATE TABLE t (x integer)").await.unwrap();
    run(&first, "BEGIN").await.unwrap();
    run(&first, "INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(one(&other, "SELECT count(*) FROM t", vec![]).await, Value::Int64(0));
    run(&first, "COMMIT").await.unwrap();
    assert_eq!(one(&other, "SELECT count(*) FROM t", vec![]).await, Value::Int64(1));
}

#[tokio::test]
async fn a_connection_that_is_used_again_remembers_nothing() {
    let Some(instance) = Instance::start() else { return };
    let server = instance.server(Limits::default()).await;
    let setup = server.connect().await.unwrap();
    run(&setup, "CREATE TABLE t (x integer)").await.unwrap();
    run(&setup, "CREATE SEQUENCE s").await.unwrap();
    run(&setup, "CREATE TYPE mood AS ENUM ('sad')").await.unwrap();
    drop(setup);
    let traces = [
        "CREATE TEMP TABLE t AS SELECT 'mine' AS secret",
        "SET statement_timeout = 0",
        "SET search_path = nowhere",
        "SET SESSION AUTHORIZATION pg_monitor",
        "PREPARE mine AS SELECT 1",
        "SELECT pg_advisory_lock(7)",
        "SELECT nextval('s')",
        "LISTEN mine",
        "SELECT 'sad'::mood",
        "BEGIN",
        "INSERT INTO t VALUES (1)",
        "SELECT 1/0",
    ];
    for round in 0..2 {
        for trace in traces {
            let before = server.connect().await.unwrap();
            run(&before, "BEGIN").await.unwrap();
            // Some cannot run in a transaction that failed, which is one more state to leave behind.
            drop(run(&before, trace).await);
            if round == 0 {
                run(&before, "COMMIT").await.unwrap();
            }
            drop(before);
            let after = server.connect().await.unwrap();
            for (statement, expect) in [
                ("SELECT count(*)::text FROM pg_prepared_statements WHERE NOT from_sql IS FALSE", "0"),
                ("SELECT current_setting('statement_timeout')", "5s"),
                ("SELECT current_setting('search_path')", "\"$user\", public"),
                ("SELECT current_user::text", "postgres"),
                ("SELECT count(*)::text FROM pg_class WHERE relpersistence = 't'", "0"),
                ("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'", "0"),
                ("SELECT count(*)::text FROM pg_listening_channels()", "0"),
            ] {
                let found = settled(&after, statement, expect).await;
                assert_eq!(found, Value::Str(expect.to_owned()), "{trace}: {statement}");
            }
            let error = run(&after, "SELECT lastval()").await.unwrap_err();
            assert!(matches!(&error, PostgresError::Query(error) if error.code == "55000"), "{trace}: {error:?}");
            let enumeration = run(&after, "SELECT 'sad'::mood").await;
            assert!(enumeration.is_ok(), "{trace}: {enumeration:?}");
        }
    }
}

/// Waits for the connection before it, which is cleaned while nobody waits.
async fn settled(
    connection: &std::sync::Arc<dyn cumulet_provider::postgres::Connection>,
    statement: &str,
    expect: &str,
) -> Value {
    let mut found = one(connection, statement, vec![]).await;
    for _ in 0..200 {
        if found == Value::Str(expect.to_owned()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        found = one(connection, statement, vec![]).await;
    }
    found
}

#[tokio::test]
async fn a_transaction_that_was_left_open_is_rolled_back() {
    let Some(instance) = Instance::start() else { return };
    let server = instance.server(Limits::default()).await;
    let left = server.connect().await.unwrap();
    run(&left, "CREATE TABLE t (x integer)").await.unwrap();
    run(&left, "BEGIN").await.unwrap();
    run(&left, "LOCK TABLE t").await.unwrap();
    run(&left, "INSERT INTO t VALUES (1)").await.unwrap();
    drop(left);
    let next = server.connect().await.unwrap();
    assert_eq!(one(&next, "SELECT count(*) FROM t", vec![]).await, Value::Int64(0));
}

#[tokio::test]
async fn connections_are_bounded_and_used_again() {
    let Some(instance) = Instance::start() else { return };
    let server = instance.server(Limits { connect_time: Duration::from_millis(500), ..Limits::default() }).await;
    let mut held = Vec::new();
    while held.len() < 16 {
        held.push(server.connect().await.unwrap());
    }
    assert_eq!(server.connect().await.unwrap_err(), PostgresError::Busy);
    drop(held);
    let mut served = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let connection = server.connect().await.unwrap();
        let Value::Int32(process) = one(&connection, "SELECT pg_backend_pid()", vec![]).await else { panic!() };
        served.insert(process);
    }
    assert!(served.len() <= 16, "{served:?}");
}
