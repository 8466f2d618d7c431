//! What goes in and what comes out.

use cumulet_provider::postgres::{BoundKind, DataType, Limits, PostgresError, Value};

use super::{Instance, one, run};

fn text(text: &str) -> String {
    text.to_owned()
}

fn values() -> Vec<(&'static str, Value)> {
    use BoundKind::{Exclusive, Inclusive};
    vec![
        ("boolean", Value::Boolean(true)),
        ("\"char\"", Value::Int8(65)),
        ("smallint", Value::Int16(i16::MIN)),
        ("integer", Value::Int32(i32::MAX)),
        ("bigint", Value::Int64(i64::MIN)),
        ("real", Value::Floating32(0.1)),
        ("real", Value::Floating32(f32::MAX)),
        ("double precision", Value::Floating64(0.1)),
        ("double precision", Value::Floating64(f64::MIN_POSITIVE)),
        ("double precision", Value::Floating64(f64::NEG_INFINITY)),
        ("text", Value::Str(text("k\u{e4}se \u{1f980} '\\\""))),
        ("varchar", Value::Str(String::new())),
        ("bytea", Value::Binary((0..=255).collect())),
        ("bytea", Value::Binary(Vec::new())),
        ("date", Value::Date(2024, 2, 29)),
        ("date", Value::Date(0, 3, 15)),
        ("date", Value::Date(-4712, 1, 1)),
        ("date", Value::Date(5_874_897, 12, 31)),
        ("time", Value::Time(23, 59, 59, 999_999_000)),
        ("timestamp", Value::Datetime(1999, 12, 31, 23, 59, 59, 1_000)),
        ("timestamp", Value::Datetime(-43, 3, 15, 12, 0, 0, 0)),
        ("timestamptz", Value::Datetime(2024, 6, 1, 0, 0, 0, 123_456_000)),
        ("uuid", Value::Uuid(text("00112233-4455-6677-8899-aabbccddeeff"))),
        ("jsonb", Value::Jsonb(b"{\"a\": [1, null]}".to_vec())),
        ("json", Value::Jsonb(b"{\"a\" : 1}".to_vec())),
        ("int4range", Value::RangeInt32((Some((1, Inclusive)), Some((5, Exclusive))))),
        ("int4range", Value::RangeInt32((None, Some((5, Exclusive))))),
        ("int8range", Value::RangeInt64((Some((i64::MIN, Inclusive)), None))),
        ("numrange", Value::RangeDecimal((Some((text("-1.50"), Exclusive)), Some((text("1e3"), Inclusive))))),
        ("integer[]", Value::ArrayInt32(vec![Some(1), None, Some(-3)])),
        ("integer[]", Value::ArrayInt32(Vec::new())),
        ("bigint[]", Value::ArrayInt64(vec![Some(i64::MAX)])),
        ("numeric[]", Value::ArrayDecimal(vec![Some(text("0.10")), None])),
        ("text[]", Value::ArrayStr(vec![Some(text("a,\"b\"\\ {}")), None, Some(String::new()), Some(text("NULL"))])),
        ("interval", Value::Interval { micros: -1, days: 2, months: -3 }),
        ("interval", Value::Interval { micros: 3_600_000_001, days: -40, months: 25 }),
        ("interval", Value::Interval { micros: i64::MAX, days: i32::MAX, months: i32::MAX }),
        ("integer", Value::Null),
    ]
}

#[tokio::test]
async fn values_return_as_they_were_given() {
    let Some(instance) = Instance::start() else { return };
    let connection = instance.server(Limits::default()).await.connect().await.unwrap();
    let mut wrong = Vec::new();
    for (server, value) in values() {
        let result = connection.query(format!("SELECT $1::{server} AS x"), vec![value.clone()]).await;
        let expect = match &value {
            Value::RangeDecimal((lower, Some((_, kind)))) => {
                Value::RangeDecimal((lower.clone(), Some((text("1000"), *kind))))
            }
            other => other.clone(),
        };
        if result.as_ref().map(|rows| &rows.rows[0][0]) != Ok(&expect) {
            wrong.push(format!("{server} {value:?}: {result:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn decimals_are_exact_at_any_size() {
    let Some(instance) = Instance::start() else { return };
    let connection = instance.server(Limits::default()).await.connect().await.unwrap();
    let long = format!("-{}.{}", "1234567890".repeat(40), "0987654321".repeat(40));
    let small = format!("0.{}1", "0".repeat(300));
    for decimal in [
        "0",
        "0.00",
        "1",
        "-1",
        "10000",
        "100000000",
        "0.1",
        "0.0001",
        "0.00001",
        "9999.9999",
        "123456789.987654321",
        "1000000.000000",
        "NaN",
        "Infinity",
        "-Infinity",
        &long,
        &small,
    ] {
        let parameter = vec![Value::Decimal(decimal.to_owned())];
        assert_eq!(one(&connection, "SELECT $1::numeric", parameter.clone()).await, Value::Decimal(decimal.to_owned()));
        // As the server itself writes it.
        assert_eq!(one(&connection, "SELECT $1::numeric::text", parameter).await, Value::Str(decimal.to_owned()));
    }
}

#[tokio::test]
async fn dates_are_those_of_the_server() {
    let Some(instance) = Instance::start() else { return };
    let connection = instance.server(Limits::default()).await.connect().await.unwrap();
    let days = run(&connection, "SELECT d::date, to_char(d, 'YYYY-MM-DD') FROM generate_series(timestamp '1899-12-25', '2100-03-05', '11 days') d")
        .await
        .unwrap();
    assert!(days.rows.len() > 6_000);
    for row in days.rows {
        let [Value::Date(year, month, day), Value::Str(expect)] = &row[..] else { panic!("{row:?}") };
        assert_eq!(&format!("{year:04}-{month:02}-{day:02}"), expect);
    }
    let seconds = vec![Value::Timestamp(1_700_000_000)];
    assert_eq!(one(&connection, "SELECT $1::timestamptz", seconds).await, Value::Datetime(2023, 11, 14, 22, 13, 20, 0));
}

#[tokio::test]
async fn columns_have_types_and_others_are_raw() {
    let Some(instance) = Instance::start() else { return };
    let connection = instance.server(Limits::default()).await.connect().await.unwrap();
    run(&connection, "CREATE TYPE mood AS ENUM ('sad', 'happy')").await.unwrap();
    run(&connection, "CREATE DOMAIN small AS integer CHECK (value < 10)").await.unwrap();
    let rows = run(
        &connection,
        "SELECT 'happy'::mood, 3::small, '1.2.3.4'::inet, 'empty'::int4range, '{{1,2},{3,4}}'::integer[], NULL::point",
    )
    .await
    .unwrap();
    let types: Vec<DataType> = rows.columns.iter().map(|column| column.data_type.clone()).collect();
    let other = |name: &str| DataType::Other(name.to_owned());
    assert_eq!(
        types,
        [DataType::Str, DataType::Int32, other("inet"), DataType::RangeInt32, DataType::ArrayInt32, other("point")]
    );
    let row = &rows.rows[0];
    assert_eq!(row[..2], [Value::Str("happy".to_owned()), Value::Int32(3)]);
    assert!(row[2..5].iter().all(|value| matches!(value, Value::Unsupported(_))), "{row:?}");
    assert_eq!(row[5], Value::Null);
    // Text stands for any type.
    let parameters = vec![Value::Str("10.0.0.1".to_owned()), Value::Str("sad".to_owned())];
    let rows = connection.query("SELECT $1::inet::text, $2::mood".to_owned(), parameters).await.unwrap();
    assert_eq!(rows.rows[0], [Value::Str("10.0.0.1/32".to_owned()), Value::Str("sad".to_owned())]);
}

#[tokio::test]
async fn what_cannot_be_expressed_is_an_error() {
    let Some(instance) = Instance::start() else { return };
    let connection = instance.server(Limits::default()).await.connect().await.unwrap();
    for statement in ["SELECT 'infinity'::date", "SELECT '-infinity'::timestamptz"] {
        let error = run(&connection, statement).await.unwrap_err();
        assert!(matches!(error, PostgresError::Conversion(_)), "{error:?}");
    }
    for (statement, parameters, expect) in [
        ("SELECT $1::int", vec![], "a parameter does not fit: the statement has 1 parameters, and 0 were given"),
        ("SELECT $1::int", vec![Value::Boolean(true)], "a parameter does not fit: parameter 1 is of the type int4"),
        ("SELECT $1::date", vec![Value::Int32(1)], "a parameter does not fit: parameter 1 is of the type date"),
        (
            "SELECT $1::text",
            vec![Value::Unsupported(vec![])],
            "a parameter does not fit: parameter 1 is of the type text",
        ),
        (
            "SELECT $1::smallint",
            vec![Value::Int32(70_000)],
            "the statement failed: value \"70000\" is out of range for type smallint",
        ),
        (
            "SELECT $1::numeric",
            vec![Value::Decimal("ten".to_owned())],
            "the statement failed: invalid input syntax for type numeric: \"ten\"",
        ),
    ] {
        let error = connection.query(statement.to_owned(), parameters).await.unwrap_err();
        assert_eq!(error.to_string(), expect);
    }
    // The connection is good after all of them.
    assert_eq!(one(&connection, "SELECT 1", vec![]).await, Value::Int32(1));
}
