//! Conversions between columns and our types.

use rubrica_core::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// The SQL text of an enum that is a string on the wire: one word everywhere.
pub(super) fn to_text(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        other => unreachable!("only enums that are JSON strings are stored as text, not {other:?}"),
    }
}

/// Reads what [`to_text`] wrote.
pub(super) fn from_text<T: DeserializeOwned>(column: &'static str, text: String) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(text)).map_err(|_| StoreError::Damaged { column })
}

pub(super) fn time(column: &'static str, unix_ms: i64) -> Result<Timestamp, StoreError> {
    u64::try_from(unix_ms)
        .ok()
        .and_then(|unix_ms| Timestamp::from_unix_ms(unix_ms).ok())
        .ok_or(StoreError::Damaged { column })
}

pub(super) fn unix_ms(time: Timestamp) -> i64 {
    i64::try_from(time.unix_ms()).expect("a Timestamp ends with the year 9999")
}

pub(super) fn size(column: &'static str, bytes: i64) -> Result<u64, StoreError> {
    u64::try_from(bytes).map_err(|_| StoreError::Damaged { column })
}

pub(super) fn signed(size_bytes: u64) -> i64 {
    i64::try_from(size_bytes).expect("no file has 2^63 bytes")
}
