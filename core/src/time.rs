//! Points in time, handed in by the caller: this crate reads no clock.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use der::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, UTC.
///
/// **Shape**: milliseconds since 1970-01-01T00:00:00Z; on the wire an RFC 3339 string with `Z`
/// (`2026-11-23T12:00:00Z`, with three fraction digits when the milliseconds are not zero).
/// Range: 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// The text or number is not a time between 1970 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time in UTC between 1970 and 9999")]
#[non_exhaustive]
pub struct InvalidTimestamp;

impl Timestamp {
    /// The last second of 9999, the greatest time that X.509 can write (RFC 5280 §4.1.2.5).
    pub const MAX: Self = Self(253_402_300_799_000);

    /// Makes a time from milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// After the year 9999.
    pub const fn from_unix_ms(unix_ms: u64) -> Result<Self, InvalidTimestamp> {
        if unix_ms > Self::MAX.0 + 999 {
            return Err(InvalidTimestamp);
        }
        Ok(Self(unix_ms))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ms(self) -> u64 {
        self.0
    }

    /// The time `duration` later, or [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let added = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(added).min(Self::MAX.0))
    }

    /// The same time in the calendar form of ASN.1 (whole seconds).
    ///
    /// # Panics
    /// Never: the range of a [`Timestamp`] is within that of [`DateTime`].
    #[must_use]
    pub fn to_date_time(self) -> DateTime {
        // Not `expect`: printing the error type of der would be a visible part of the browser module.
        match DateTime::from_unix_duration(Duration::from_secs(self.0 / 1000)) {
            Ok(date_time) => date_time,
            Err(_) => unreachable!("a Timestamp lies between 1970 and 9999"),
        }
    }
}

impl From<DateTime> for Timestamp {
    fn from(value: DateTime) -> Self {
        Self(value.unix_duration().as_secs() * 1000)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.to_date_time().to_string();
        match self.0 % 1000 {
            0 => f.write_str(&seconds),
            ms => write!(f, "{}.{ms:03}Z", seconds.trim_end_matches('Z')),
        }
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let body = text.strip_suffix('Z').ok_or(InvalidTimestamp)?;
        let (seconds, fraction) = body.split_once('.').unwrap_or((body, "0"));
        if fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidTimestamp);
        }
        let date_time = DateTime::from_str(&format!("{seconds}Z")).map_err(|_| InvalidTimestamp)?;
        let ms =
            fraction.bytes().chain([b'0'; 3]).take(3).fold(0, |ms, digit| ms * 10 + u64::from(digit - b'0'));
        Ok(Self(Self::from(date_time).0 + ms))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_are_the_same_time() {
        for (text, unix_ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-23T12:00:00Z", 1_795_435_200_000),
            ("2026-11-23T12:00:00.007Z", 1_795_435_200_007),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().unix_ms(), unix_ms);
            assert_eq!(Timestamp::from_unix_ms(unix_ms).unwrap().to_string(), text);
        }
    }

    #[test]
    fn times_without_zone_or_out_of_range_are_refused() {
        for text in [
            "",
            "Z",
            "2026-11-23",
            "2026-11-23T12:00:00",
            "2026-11-23T12:00:00-03:00",
            "2026-11-23T12:00:00.Z",
            "2026-02-30T12:00:00Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(InvalidTimestamp), "{text}");
        }
        assert!(Timestamp::from_unix_ms(u64::MAX).is_err());
    }
}
