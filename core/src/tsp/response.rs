//! What an authority answers (RFC 3161 §2.4.2).

use super::TspError;
use crate::tlv::{Malformed, Reader, Tlv, single, tag};

/// Longest text of an authority that is passed on, in characters.
const MAX_TEXT: usize = 200;
/// Largest answer that is read: a token with its certificates takes some kilobytes.
const MAX_BYTES: usize = 1 << 20;

/// The token in a response, as an element.
///
/// `TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken ContentInfo OPTIONAL }`
pub(super) fn token_of(response: &[u8]) -> Result<&[u8], TspError> {
    if response.len() > MAX_BYTES {
        return Err(TspError::Malformed("a response of at most 1 MiB"));
    }
    let mut reader = single(response, tag::SEQUENCE, "a TimeStampResp")?.reader();
    let status = reader.expect(tag::SEQUENCE, "a PKIStatusInfo")?;
    let token = reader.rest();
    match refusal(status)? {
        Some(refused) => Err(refused),
        None if token.is_empty() => Err(TspError::Malformed("a time stamp beside the status granted")),
        None => Ok(token),
    }
}

/// `PKIStatusInfo ::= SEQUENCE { status INTEGER, statusString SEQUENCE OF UTF8String OPTIONAL, failInfo BIT
/// STRING OPTIONAL }`. `None` when the time stamp was granted.
fn refusal(status_info: Tlv<'_>) -> Result<Option<TspError>, Malformed> {
    let mut reader = status_info.reader();
    let status = match reader.expect(tag::INTEGER, "a PKIStatus")?.small_unsigned()? {
        0 | 1 => return Ok(None),
        2 => "rejection",
        3 => "waiting",
        4 => "revocation warning",
        5 => "revocation notification",
        _ => "an unknown status",
    };
    let text = reader.optional(tag::SEQUENCE)?;
    let fail_info = reader.optional(tag::BIT_STRING)?;
    reader.end()?;
    let mut detail = String::new();
    for reason in fail_info.into_iter().flat_map(reasons) {
        detail = detail + "; " + reason;
    }
    if let Some(text) = text {
        let text = free_text(text.reader())?;
        if !text.is_empty() {
            detail = detail + "; " + &text;
        }
    }
    Ok(Some(TspError::Refused { status, detail }))
}

/// PKIFailureInfo in words.
fn reasons(bits: Tlv<'_>) -> Vec<&'static str> {
    const NAMES: [(usize, &str); 8] = [
        (0, "the hash algorithm is not supported"),
        (2, "the request is not permitted"),
        (5, "the request has the wrong format"),
        (14, "the time source is not available"),
        (15, "the policy is not supported"),
        (16, "an extension is not supported"),
        (17, "additional information is not available"),
        (25, "the authority has a system failure"),
    ];
    let bits = bits.value.get(1..).unwrap_or_default();
    let is_set = |bit: usize| bits.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
    NAMES.into_iter().filter(|(bit, _)| is_set(*bit)).map(|(_, name)| name).collect()
}

fn free_text(mut reader: Reader<'_>) -> Result<String, Malformed> {
    let mut text = String::new();
    while !reader.is_empty() {
        let part = String::from_utf8_lossy(reader.element()?.value);
        text.extend(part.chars().filter(|c| !c.is_control()));
        text.push(' ');
    }
    Ok(text.trim_end().chars().take(MAX_TEXT).collect())
}
