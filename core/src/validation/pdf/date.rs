//! Dates of PDF (ISO 32000-2 §7.9.4): `D:YYYYMMDDHHmmSSOHH'mm'`, where everything behind the year may be
//! missing.

use core::time::Duration;

use der::DateTime;

use crate::Timestamp;

/// Reads a date with at least the day. Without an offset it is taken as UTC: the standard leaves it open.
pub(super) fn parse(bytes: &[u8]) -> Option<Timestamp> {
    let text = core::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix("D:").unwrap_or(text);
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (date, offset) = text.split_at(digits);
    let part = |at: usize, default: u8| match date.get(at..at + 2) {
        Some(part) => part.parse().ok(),
        None if date.len() <= at => Some(default),
        None => None,
    };
    if !(8..=14).contains(&digits) {
        return None;
    }
    let year = date.get(..4)?.parse().ok()?;
    let local =
        DateTime::new(year, part(4, 1)?, part(6, 1)?, part(8, 0)?, part(10, 0)?, part(12, 0)?).ok()?;
    let local = Timestamp::from(local).unix_ms();
    let shift = Duration::from_secs(offset_seconds(offset)?).as_millis();
    let shift = u64::try_from(shift).ok()?;
    let utc = if offset.starts_with('-') { local.checked_add(shift) } else { local.checked_sub(shift) };
    Timestamp::from_unix_ms(utc?).ok()
}

/// Size of `Z`, `+HH'mm'`, `-HH'mm'`, `+HH'mm` or `+HH`, in seconds.
fn offset_seconds(offset: &str) -> Option<u64> {
    let Some(amount) = offset.strip_prefix(['+', '-']) else {
        return matches!(offset, "" | "Z" | "Z00'00'" | "Z00'00").then_some(0);
    };
    let mut parts = amount.splitn(3, '\'');
    let hours: u64 = parts.next()?.parse().ok().filter(|hours| *hours < 24)?;
    let minutes: u64 = match parts.next() {
        None | Some("") => 0,
        Some(minutes) => minutes.parse().ok().filter(|minutes| *minutes < 60)?,
    };
    Some(hours * 3600 + minutes * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_their_offset() {
        for (text, expected) in [
            ("D:20261123120000Z", "2026-11-23T12:00:00Z"),
            ("D:20261123090000-03'00'", "2026-11-23T12:00:00Z"),
            ("D:20261123173000+05'30", "2026-11-23T12:00:00Z"),
            ("20261123", "2026-11-23T00:00:00Z"),
            ("D:202611231200", "2026-11-23T12:00:00Z"),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(expected.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_date() {
        for text in ["", "D:", "D:2026", "D:2026112", "D:20261301", "D:20261123120000+xx", "D:20261123\u{e9}"]
        {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
