//! Values between a guest and a provider: the same cases on both sides.

use super::bindings::spin::postgres::postgres::{
    Column as GuestColumn, DbDataType, DbValue, Interval, ParameterValue, RangeBoundKind, RowSet as GuestRowSet,
};
use cumulet_provider::postgres::{BoundKind, Column, DataType, Range, RowSet, Value};

/// A range as the interface has it.
type GuestRange<T> = (Option<(T, RangeBoundKind)>, Option<(T, RangeBoundKind)>);

/// A parameter of a guest.
pub(super) fn read(value: ParameterValue) -> Value {
    match value {
        ParameterValue::Boolean(it) => Value::Boolean(it),
        ParameterValue::Int8(it) => Value::Int8(it),
        ParameterValue::Int16(it) => Value::Int16(it),
        ParameterValue::Int32(it) => Value::Int32(it),
        ParameterValue::Int64(it) => Value::Int64(it),
        ParameterValue::Floating32(it) => Value::Floating32(it),
        ParameterValue::Floating64(it) => Value::Floating64(it),
        ParameterValue::Str(it) => Value::Str(it),
        ParameterValue::Binary(it) => Value::Binary(it),
        ParameterValue::Date((year, month, day)) => Value::Date(year, month, day),
        ParameterValue::Time((hour, minute, second, nano)) => Value::Time(hour, minute, second, nano),
        ParameterValue::Datetime((year, month, day, hour, minute, second, nano)) => {
            Value::Datetime(year, month, day, hour, minute, second, nano)
        }
        ParameterValue::Timestamp(it) => Value::Timestamp(it),
        ParameterValue::Uuid(it) => Value::Uuid(it),
        ParameterValue::Jsonb(it) => Value::Jsonb(it),
        ParameterValue::Decimal(it) => Value::Decimal(it),
        ParameterValue::RangeInt32(it) => Value::RangeInt32(read_range(it)),
        ParameterValue::RangeInt64(it) => Value::RangeInt64(read_range(it)),
        ParameterValue::RangeDecimal(it) => Value::RangeDecimal(read_range(it)),
        ParameterValue::ArrayInt32(it) => Value::ArrayInt32(it),
        ParameterValue::ArrayInt64(it) => Value::ArrayInt64(it),
        ParameterValue::ArrayDecimal(it) => Value::ArrayDecimal(it),
        ParameterValue::ArrayStr(it) => Value::ArrayStr(it),
        ParameterValue::Interval(Interval { micros, days, months }) => Value::Interval { micros, days, months },
        ParameterValue::DbNull => Value::Null,
    }
}

/// What a query returned, for a guest.
pub(super) fn row_set(found: RowSet) -> GuestRowSet {
    let column = |Column { name, data_type }| GuestColumn { name, data_type: shown_type(data_type) };
    GuestRowSet {
        columns: found.columns.into_iter().map(column).collect(),
        rows: found.rows.into_iter().map(|row| row.into_iter().map(shown).collect()).collect(),
    }
}

fn shown(value: Value) -> DbValue {
    match value {
        Value::Boolean(it) => DbValue::Boolean(it),
        Value::Int8(it) => DbValue::Int8(it),
        Value::Int16(it) => DbValue::Int16(it),
        Value::Int32(it) => DbValue::Int32(it),
        Value::Int64(it) => DbValue::Int64(it),
        Value::Floating32(it) => DbValue::Floating32(it),
        Value::Floating64(it) => DbValue::Floating64(it),
        Value::Str(it) => DbValue::Str(it),
        Value::Binary(it) => DbValue::Binary(it),
        Value::Date(year, month, day) => DbValue::Date((year, month, day)),
        Value::Time(hour, minute, second, nano) => DbValue::Time((hour, minute, second, nano)),
        Value::Datetime(year, month, day, hour, minute, second, nano) => {
            DbValue::Datetime((year, month, day, hour, minute, second, nano))
        }
        Value::Timestamp(it) => DbValue::Timestamp(it),
        Value::Uuid(it) => DbValue::Uuid(it),
        Value::Jsonb(it) => DbValue::Jsonb(it),
        Value::Decimal(it) => DbValue::Decimal(it),
        Value::RangeInt32(it) => DbValue::RangeInt32(shown_range(it)),
        Value::RangeInt64(it) => DbValue::RangeInt64(shown_range(it)),
        Value::RangeDecimal(it) => DbValue::RangeDecimal(shown_range(it)),
        Value::ArrayInt32(it) => DbValue::ArrayInt32(it),
        Value::ArrayInt64(it) => DbValue::ArrayInt64(it),
        Value::ArrayDecimal(it) => DbValue::ArrayDecimal(it),
        Value::ArrayStr(it) => DbValue::ArrayStr(it),
        Value::Interval { micros, days, months } => DbValue::Interval(Interval { micros, days, months }),
        Value::Null => DbValue::DbNull,
        Value::Unsupported(it) => DbValue::Unsupported(it),
    }
}

fn shown_type(data_type: DataType) -> DbDataType {
    match data_type {
        DataType::Boolean => DbDataType::Boolean,
        DataType::Int8 => DbDataType::Int8,
        DataType::Int16 => DbDataType::Int16,
        DataType::Int32 => DbDataType::Int32,
        DataType::Int64 => DbDataType::Int64,
        DataType::Floating32 => DbDataType::Floating32,
        DataType::Floating64 => DbDataType::Floating64,
        DataType::Str => DbDataType::Str,
        DataType::Binary => DbDataType::Binary,
        DataType::Date => DbDataType::Date,
        DataType::Time => DbDataType::Time,
        DataType::Datetime => DbDataType::Datetime,
        DataType::Timestamp => DbDataType::Timestamp,
        DataType::Uuid => DbDataType::Uuid,
        DataType::Jsonb => DbDataType::Jsonb,
        DataType::Decimal => DbDataType::Decimal,
        DataType::RangeInt32 => DbDataType::RangeInt32,
        DataType::RangeInt64 => DbDataType::RangeInt64,
        DataType::RangeDecimal => DbDataType::RangeDecimal,
        DataType::ArrayInt32 => DbDataType::ArrayInt32,
        DataType::ArrayInt64 => DbDataType::ArrayInt64,
        DataType::ArrayDecimal => DbDataType::ArrayDecimal,
        DataType::ArrayStr => DbDataType::ArrayStr,
        DataType::Interval => DbDataType::Interval,
        DataType::Other(name) => DbDataType::Other(name),
    }
}

fn read_range<T>((start, end): GuestRange<T>) -> Range<T> {
    let bound = |(value, kind)| match kind {
        RangeBoundKind::Inclusive => (value, BoundKind::Inclusive),
        RangeBoundKind::Exclusive => (value, BoundKind::Exclusive),
    };
    (start.map(bound), end.map(bound))
}

fn shown_range<T>((start, end): Range<T>) -> GuestRange<T> {
    let bound = |(value, kind)| match kind {
        BoundKind::Inclusive => (value, RangeBoundKind::Inclusive),
        BoundKind::Exclusive => (value, RangeBoundKind::Exclusive),
    };
    (start.map(bound), end.map(bound))
}
