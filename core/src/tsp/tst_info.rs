//! TSTInfo: what an authority signs (RFC 3161 §2.4.2).

use crate::Timestamp;
use crate::digest::{Digest, DigestAlgorithm};
use crate::oid;
use crate::tlv::{Malformed, Tlv, single, tag};
use crate::x509::AlgorithmIdentifier;

/// `TSTInfo ::= SEQUENCE { version 1, policy OID, messageImprint, serialNumber INTEGER, genTime
/// GeneralizedTime, accuracy OPTIONAL, ordering BOOLEAN DEFAULT FALSE, nonce INTEGER OPTIONAL, tsa [0]
/// GeneralName OPTIONAL, extensions [1] IMPLICIT Extensions OPTIONAL }`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TstInfo {
    /// Dotted identifier.
    pub(super) policy: String,
    /// `None` when the algorithm is not accepted.
    pub(super) imprint: Option<Digest>,
    /// Contents octets of the INTEGER.
    pub(super) serial: Vec<u8>,
    pub(super) time: Timestamp,
    /// Rounded up to milliseconds.
    pub(super) accuracy_ms: Option<u64>,
    /// Magnitude without leading zeros.
    pub(super) nonce: Option<Vec<u8>>,
}

impl TstInfo {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = single(bytes, tag::SEQUENCE, "a TSTInfo")?.reader();
        if reader.expect(tag::INTEGER, "the version")?.value != [1] {
            return Err(Malformed("version 1 of a TSTInfo"));
        }
        let policy = reader.expect(tag::OID, "the policy of the authority")?.value;
        let imprint = message_imprint(reader.expect(tag::SEQUENCE, "a MessageImprint")?)?;
        let serial = reader.expect(tag::INTEGER, "the serial number of the time stamp")?.value;
        let time = generalized_time(reader.expect(tag::GENERALIZED_TIME, "the time")?)?;
        let accuracy_ms = match reader.optional(tag::SEQUENCE)? {
            Some(accuracy) => Some(accuracy_ms(accuracy)?),
            None => None,
        };
        if let Some(ordering) = reader.optional(tag::BOOLEAN)? {
            ordering.boolean()?;
        }
        let nonce = match reader.optional(tag::INTEGER)? {
            Some(nonce) => Some(nonce.unsigned()?.to_vec()),
            None => None,
        };
        reader.optional(tag::context_constructed(0))?;
        if let Some(extensions) = reader.optional(tag::context_constructed(1))? {
            refuse_critical(extensions)?;
        }
        reader.end()?;
        Ok(Self { policy: oid::to_text(policy), imprint, serial: serial.to_vec(), time, accuracy_ms, nonce })
    }
}

/// `MessageImprint ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, hashedMessage OCTET STRING }`
fn message_imprint(imprint: Tlv<'_>) -> Result<Option<Digest>, Malformed> {
    let mut reader = imprint.reader();
    let algorithm = DigestAlgorithm::from_oid(AlgorithmIdentifier::read(&mut reader)?.oid);
    let hash = reader.expect(tag::OCTET_STRING, "the stamped hash")?.value;
    reader.end()?;
    let Some(algorithm) = algorithm else { return Ok(None) };
    let digest = Digest::from_bytes(algorithm, hash);
    digest.map(Some).map_err(|_| Malformed("a stamped hash of the right length"))
}

/// Unlike certificates, time stamps may have fractions of a second; they are kept to the millisecond.
fn generalized_time(time: Tlv<'_>) -> Result<Timestamp, Malformed> {
    const WHAT: Malformed = Malformed("a time in UTC");
    let Some(point) = time.value.iter().position(|byte| *byte == b'.') else { return time.time() };
    let (seconds, fraction) = time.value.split_at(point);
    let [b'.', digits @ .., b'Z'] = fraction else { return Err(WHAT) };
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(WHAT);
    }
    let whole = [seconds, b"Z"].concat();
    let whole = Tlv { tag: time.tag, raw: &[], value: &whole }.time()?;
    let ms = digits.iter().chain(b"000").take(3).fold(0, |ms, digit| ms * 10 + u64::from(digit - b'0'));
    Timestamp::from_unix_ms(whole.unix_ms() + ms).map_err(|_| WHAT)
}

/// `Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis [0] INTEGER (1..999) OPTIONAL, micros [1]
/// INTEGER (1..999) OPTIONAL }`
fn accuracy_ms(accuracy: Tlv<'_>) -> Result<u64, Malformed> {
    let mut reader = accuracy.reader();
    let mut number = |tag| -> Result<u64, Malformed> {
        Ok(reader.optional(tag)?.map(|number| number.small_unsigned()).transpose()?.unwrap_or(0).into())
    };
    let (seconds, millis, micros) =
        (number(tag::INTEGER)?, number(tag::context(0))?, number(tag::context(1))?);
    reader.end()?;
    if millis > 999 || micros > 999 {
        return Err(Malformed("an accuracy with less than a thousand parts"));
    }
    Ok(seconds * 1000 + millis + micros.div_ceil(1000))
}

/// None is defined that we would have to obey, so one that insists is refused.
fn refuse_critical(extensions: Tlv<'_>) -> Result<(), Malformed> {
    let mut reader = extensions.reader();
    while !reader.is_empty() {
        let mut extension = reader.expect(tag::SEQUENCE, "an extension of a time stamp")?.reader();
        extension.expect(tag::OID, "the identifier of an extension")?;
        if let Some(critical) = extension.optional(tag::BOOLEAN)?
            && critical.boolean()?
        {
            return Err(Malformed("a time stamp without critical extensions"));
        }
    }
    Ok(())
}
