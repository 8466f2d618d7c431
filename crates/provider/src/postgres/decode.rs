//! From the server's binary forms to values.

use postgres_types::{FromSql, Kind, Type};

use super::{BoundKind, DataType, Range, Value, calendar, decimal};

/// The bytes of a value, whatever its type.
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The type that values of a column have here.
pub(super) fn data_type(server: &Type) -> DataType {
    match *server {
        Type::BOOL => DataType::Boolean,
        Type::CHAR => DataType::Int8,
        Type::INT2 => DataType::Int16,
        Type::INT4 => DataType::Int32,
        Type::INT8 => DataType::Int64,
        Type::FLOAT4 => DataType::Floating32,
        Type::FLOAT8 => DataType::Floating64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::XML | Type::UNKNOWN => DataType::Str,
        Type::BYTEA => DataType::Binary,
        Type::DATE => DataType::Date,
        Type::TIME => DataType::Time,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DataType::Datetime,
        Type::UUID => DataType::Uuid,
        Type::JSON | Type::JSONB => DataType::Jsonb,
        Type::NUMERIC => DataType::Decimal,
        Type::INT4_RANGE => DataType::RangeInt32,
        Type::INT8_RANGE => DataType::RangeInt64,
        Type::NUM_RANGE => DataType::RangeDecimal,
        Type::INT4_ARRAY => DataType::ArrayInt32,
        Type::INT8_ARRAY => DataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY | Type::NAME_ARRAY => DataType::ArrayStr,
        Type::INTERVAL => DataType::Interval,
        _ => match server.kind() {
            Kind::Enum(_) => DataType::Str,
            Kind::Domain(inner) => data_type(inner),
            _ => DataType::Other(server.name().to_owned()),
        },
    }
}

/// A value that is not NULL; `None` if its bytes are not what its type promises, or it is an endless date.
pub(super) fn value(server: &Type, bytes: &[u8]) -> Option<Value> {
    let unsupported = || Some(Value::Unsupported(bytes.to_vec()));
    let mut wire = Wire(bytes);
    Some(match data_type(server) {
        DataType::Boolean => Value::Boolean(wire.u8()? != 0),
        DataType::Int8 => Value::Int8(i8::from_be_bytes(wire.take()?)),
        DataType::Int16 => Value::Int16(wire.i16()?),
        DataType::Int32 => Value::Int32(wire.i32()?),
        DataType::Int64 => Value::Int64(wire.i64()?),
        DataType::Floating32 => Value::Floating32(f32::from_be_bytes(wire.take()?)),
        DataType::Floating64 => Value::Floating64(f64::from_be_bytes(wire.take()?)),
        DataType::Str => Value::Str(text(bytes)?),
        DataType::Binary => Value::Binary(bytes.to_vec()),
        DataType::Date => date(wire.i32()?)?,
        DataType::Time => {
            let (hour, minute, second, nanos) = calendar::time(wire.i64()?)?;
            Value::Time(hour, minute, second, nanos)
        }
        DataType::Datetime | DataType::Timestamp => datetime(wire.i64()?)?,
        DataType::Uuid => Value::Uuid(uuid(bytes)?),
        DataType::Jsonb => Value::Jsonb(json(server, bytes)?.to_vec()),
        DataType::Decimal => Value::Decimal(decimal::text(bytes)?),
        DataType::RangeInt32 => return range(bytes, int32)?.map(Value::RangeInt32).or_else(unsupported),
        DataType::RangeInt64 => return range(bytes, int64)?.map(Value::RangeInt64).or_else(unsupported),
        DataType::RangeDecimal => return range(bytes, decimal::text)?.map(Value::RangeDecimal).or_else(unsupported),
        DataType::ArrayInt32 => return array(bytes, int32)?.map(Value::ArrayInt32).or_else(unsupported),
        DataType::ArrayInt64 => return array(bytes, int64)?.map(Value::ArrayInt64).or_else(unsupported),
        DataType::ArrayDecimal => return array(bytes, decimal::text)?.map(Value::ArrayDecimal).or_else(unsupported),
        DataType::ArrayStr => return array(bytes, text)?.map(Value::ArrayStr).or_else(unsupported),
        DataType::Interval => {
            let (micros, days, months) = (wire.i64()?, wire.i32()?, wire.i32()?);
            Value::Interval { micros, days, months }
        }
        DataType::Other(_) => return unsupported(),
    })
}

/// The two ends of what a day can be stand for the infinities.
fn date(days: i32) -> Option<Value> {
    if days == i32::MAX || days == i32::MIN {
        return None;
    }
    let (year, month, day) = calendar::date(i64::from(days))?;
    Some(Value::Date(year, month, day))
}

fn datetime(micros: i64) -> Option<Value> {
    if micros == i64::MAX || micros == i64::MIN {
        return None;
    }
    let (days, micros) = calendar::split(micros);
    let ((year, month, day), (hour, minute, second, nanos)) = (calendar::date(days)?, calendar::time(micros)?);
    Some(Value::Datetime(year, month, day, hour, minute, second, nanos))
}

fn uuid(bytes: &[u8]) -> Option<String> {
    let number = u128::from_be_bytes(bytes.try_into().ok()?);
    let digits = format!("{number:032x}");
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    Some([part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-"))
}

/// `jsonb` is its text after a version, which has been 1 from the beginning.
fn json<'a>(server: &Type, bytes: &'a [u8]) -> Option<&'a [u8]> {
    if *server == Type::JSONB { bytes.strip_prefix(&[1]) } else { Some(bytes) }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn int32(bytes: &[u8]) -> Option<i32> {
    bytes.try_into().ok().map(i32::from_be_bytes)
}

fn int64(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

/// `Some(None)` for a range that contains nothing, which has no bounds.
fn range<T>(bytes: &[u8], element: fn(&[u8]) -> Option<T>) -> Option<Option<Range<T>>> {
    const EMPTY: u8 = 0x01;
    const LOWER_INCLUSIVE: u8 = 0x02;
    const UPPER_INCLUSIVE: u8 = 0x04;
    const LOWER_INFINITE: u8 = 0x08;
    const UPPER_INFINITE: u8 = 0x10;
    let mut wire = Wire(bytes);
    let flags = wire.u8()?;
    if flags & EMPTY != 0 {
        return Some(None);
    }
    let mut bound = |infinite: u8, inclusive: u8| {
        if flags & infinite != 0 {
            return Some(None);
        }
        let kind = if flags & inclusive != 0 { BoundKind::Inclusive } else { BoundKind::Exclusive };
        Some(Some((element(wire.element()??)?, kind)))
    };
    let lower = bound(LOWER_INFINITE, LOWER_INCLUSIVE)?;
    let upper = bound(UPPER_INFINITE, UPPER_INCLUSIVE)?;
    Some(Some((lower, upper)))
}

/// `Some(None)` for an array of several dimensions.
fn array<T>(bytes: &[u8], element: fn(&[u8]) -> Option<T>) -> Option<Option<Vec<Option<T>>>> {
    let mut wire = Wire(bytes);
    let (dimensions, _has_nulls, _element_type) = (wire.i32()?, wire.i32()?, wire.i32()?);
    match dimensions {
        0 => return Some(Some(Vec::new())),
        1 => {}
        _ => return Some(None),
    }
    let (count, _first_index) = (wire.i32()?, wire.i32()?);
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.push(match wire.element()? {
            Some(bytes) => Some(element(bytes)?),
            None => None,
        });
    }
    Some(Some(elements))
}

/// Bytes that are read from the front; everything is big-endian.
pub(super) struct Wire<'a>(pub(super) &'a [u8]);

impl<'a> Wire<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn i16(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    /// An element after its length; `Some(None)` is NULL.
    pub(super) fn element(&mut self) -> Option<Option<&'a [u8]>> {
        let Ok(length) = usize::try_from(self.i32()?) else {
            return Some(None);
        };
        let (element, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(element))
    }
}
