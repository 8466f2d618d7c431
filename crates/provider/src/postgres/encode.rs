//! From parameters to what the server reads.
//!
//! All but bytes go as text: the server reads the text of a number, a date or a range exactly, and into whatever type
//! the statement gives the parameter. What does not fit there at all is refused here.

use std::fmt::Write as _;

use bytes::{BufMut, BytesMut};
use postgres_types::{Format, IsNull, Kind, ToSql, Type, to_sql_checked};

use super::{BoundKind, PostgresError, Range, Value, calendar};

/// Refuses parameters that are not what the statement needs.
pub(super) fn check(parameters: &[Value], types: &[Type]) -> Result<(), PostgresError> {
    if parameters.len() != types.len() {
        let (places, given) = (types.len(), parameters.len());
        return Err(PostgresError::Parameter(format!("the statement has {places} parameters, and {given} were given")));
    }
    for (index, (parameter, server)) in parameters.iter().zip(types).enumerate() {
        if !fits(parameter, server) {
            let (place, name) = (index + 1, server.name());
            return Err(PostgresError::Parameter(format!("parameter {place} is of the type {name}")));
        }
    }
    Ok(())
}

/// Text fits everywhere, since every type of the server has a text form.
fn fits(parameter: &Value, server: &Type) -> bool {
    if let Kind::Domain(inner) = server.kind() {
        return fits(parameter, inner);
    }
    let among = |types: &[Type]| types.contains(server);
    match parameter {
        Value::Null | Value::Str(_) => true,
        Value::Unsupported(_) => false,
        Value::Boolean(_) => among(&[Type::BOOL]),
        Value::Int8(_) | Value::Int16(_) | Value::Int32(_) | Value::Int64(_) => among(&[
            Type::CHAR,
            Type::INT2,
            Type::INT4,
            Type::INT8,
            Type::OID,
            Type::NUMERIC,
            Type::FLOAT4,
            Type::FLOAT8,
        ]),
        Value::Floating32(_) | Value::Floating64(_) => among(&[Type::FLOAT4, Type::FLOAT8, Type::NUMERIC]),
        Value::Binary(_) => among(&[Type::BYTEA]),
        Value::Date(..) => among(&[Type::DATE, Type::TIMESTAMP, Type::TIMESTAMPTZ]),
        Value::Time(..) => among(&[Type::TIME]),
        Value::Datetime(..) => among(&[Type::TIMESTAMP, Type::TIMESTAMPTZ]),
        Value::Timestamp(_) => among(&[Type::TIMESTAMP, Type::TIMESTAMPTZ, Type::INT8]),
        Value::Uuid(_) => among(&[Type::UUID]),
        Value::Jsonb(_) => among(&[Type::JSON, Type::JSONB]),
        Value::Decimal(_) => among(&[Type::NUMERIC]),
        Value::RangeInt32(_) => among(&[Type::INT4_RANGE, Type::INT8_RANGE, Type::NUM_RANGE]),
        Value::RangeInt64(_) => among(&[Type::INT8_RANGE, Type::NUM_RANGE]),
        Value::RangeDecimal(_) => among(&[Type::NUM_RANGE]),
        Value::ArrayInt32(_) => among(&[Type::INT4_ARRAY, Type::INT8_ARRAY, Type::NUMERIC_ARRAY]),
        Value::ArrayInt64(_) => among(&[Type::INT8_ARRAY, Type::NUMERIC_ARRAY]),
        Value::ArrayDecimal(_) => among(&[Type::NUMERIC_ARRAY]),
        Value::ArrayStr(_) => among(&[Type::TEXT_ARRAY, Type::VARCHAR_ARRAY, Type::BPCHAR_ARRAY, Type::NAME_ARRAY]),
        Value::Interval { .. } => among(&[Type::INTERVAL]),
    }
}

impl ToSql for Value {
    fn to_sql(&self, server: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Binary(bytes) | Self::Jsonb(bytes) => out.put_slice(bytes),
            // The one type whose text is a byte and not a number.
            Self::Int8(number) if *server == Type::CHAR => out.put_i8(*number),
            _ => out.put_slice(text(self, server)?.as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, server: &Type) -> Format {
        match self {
            Self::Binary(_) => Format::Binary,
            Self::Int8(_) if *server == Type::CHAR => Format::Binary,
            _ => Format::Text,
        }
    }

    to_sql_checked!();
}

fn text(value: &Value, server: &Type) -> Result<String, std::fmt::Error> {
    Ok(match value {
        Value::Boolean(value) => value.to_string(),
        Value::Int8(number) => number.to_string(),
        Value::Int16(number) => number.to_string(),
        Value::Int32(number) => number.to_string(),
        Value::Int64(number) => number.to_string(),
        Value::Floating32(number) => number.to_string(),
        Value::Floating64(number) => number.to_string(),
        Value::Str(text) | Value::Uuid(text) | Value::Decimal(text) => text.clone(),
        Value::Date(year, month, day) => date((*year, *month, *day), ""),
        Value::Time(hour, minute, second, nanos) => time((*hour, *minute, *second, *nanos)),
        Value::Datetime(year, month, day, hour, minute, second, nanos) => {
            moment((*year, *month, *day), (*hour, *minute, *second, *nanos))
        }
        Value::Timestamp(seconds) if *server == Type::INT8 => seconds.to_string(),
        Value::Timestamp(seconds) => {
            let (days, micros) = calendar::split_seconds(*seconds);
            moment(calendar::date(days).ok_or(std::fmt::Error)?, calendar::time(micros).ok_or(std::fmt::Error)?)
        }
        Value::RangeInt32(range) => range_text(range)?,
        Value::RangeInt64(range) => range_text(range)?,
        Value::RangeDecimal(range) => range_text(range)?,
        Value::ArrayInt32(elements) => array_text(elements)?,
        Value::ArrayInt64(elements) => array_text(elements)?,
        Value::ArrayDecimal(elements) | Value::ArrayStr(elements) => array_text(elements)?,
        Value::Interval { micros, days, months } => {
            let (seconds, fraction) = (micros / 1_000_000, (micros % 1_000_000).abs());
            let sign = if *micros < 0 { "-" } else { "+" };
            format!("{months} months {days} days {sign}{}.{fraction:06} seconds", seconds.unsigned_abs())
        }
        Value::Binary(_) | Value::Jsonb(_) | Value::Null | Value::Unsupported(_) => String::new(),
    })
}

/// There is no year 0: it is the first before our era.
fn date((year, month, day): (i32, u8, u8), between: &str) -> String {
    let (year, era) = if year > 0 { (i64::from(year), "") } else { (1 - i64::from(year), " BC") };
    format!("{year:04}-{month:02}-{day:02}{between}{era}")
}

fn time((hour, minute, second, nanos): (u8, u8, u8, u32)) -> String {
    format!("{hour:02}:{minute:02}:{second:02}.{nanos:09}")
}

/// Where the server wants no zone, it passes over the one that stands here.
fn moment(day: (i32, u8, u8), clock: (u8, u8, u8, u32)) -> String {
    date(day, &format!(" {}+00", time(clock)))
}

fn range_text<T: std::fmt::Display>((lower, upper): &Range<T>) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    match lower {
        Some((bound, BoundKind::Inclusive)) => write!(text, "[{}", quoted(bound))?,
        Some((bound, BoundKind::Exclusive)) => write!(text, "({}", quoted(bound))?,
        None => text.push('('),
    }
    text.push(',');
    match upper {
        Some((bound, BoundKind::Inclusive)) => write!(text, "{}]", quoted(bound))?,
        Some((bound, BoundKind::Exclusive)) => write!(text, "{})", quoted(bound))?,
        None => text.push(')'),
    }
    Ok(text)
}

fn array_text<T: std::fmt::Display>(elements: &[Option<T>]) -> Result<String, std::fmt::Error> {
    let mut text = String::from("{");
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match element {
            Some(element) => text.push_str(&quoted(element)),
            None => text.push_str("NULL"),
        }
    }
    text.push('}');
    Ok(text)
}

/// Within quotes, only a quote and a backslash mean something.
fn quoted(element: &impl std::fmt::Display) -> String {
    format!("\"{}\"", element.to_string().replace('\\', "\\\\").replace('"', "\\\""))
}
