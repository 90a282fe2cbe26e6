//! The two forms of an ECDSA value.

use crate::tlv::{Malformed, encode, single, tag};

/// Turns a raw ECDSA value `r ‖ s` (two integers of equal width) into DER
/// `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279 §2.2.3).
#[must_use]
pub fn ecdsa_value_to_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    encode(tag::SEQUENCE, &[&unsigned_integer(r), &unsigned_integer(s)])
}

fn unsigned_integer(magnitude: &[u8]) -> Vec<u8> {
    let start = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
    match &magnitude[start..] {
        [] => encode(tag::INTEGER, &[&[0]]),
        significant if significant[0] & 0x80 != 0 => encode(tag::INTEGER, &[&[0], significant]),
        significant => encode(tag::INTEGER, &[significant]),
    }
}

pub(super) fn is_der(value: &[u8]) -> bool {
    let parse = || -> Result<(), Malformed> {
        let mut reader = single(value, tag::SEQUENCE, "an ECDSA value")?.reader();
        reader.expect(tag::INTEGER, "r")?.unsigned()?;
        reader.expect(tag::INTEGER, "s")?.unsigned()?;
        reader.end()
    };
    parse().is_ok()
}
