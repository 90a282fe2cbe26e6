//! Reading of an OCSPResponse.

use core::ops::Range;
use std::sync::OnceLock;

use super::{Answer, ENUMERATED, HashAlgorithm, Inner, Responder, ResponseStatus, Standing};
use crate::digest::{Digest, DigestAlgorithm};
use crate::oid;
use crate::revocation::crl::each_extension;
use crate::revocation::{Reason, RevocationError};
use crate::tlv::{Malformed, Reader, Tlv, range_in, single, tag};
use crate::x509::{AlgorithmIdentifier, Certificate};

/// Certificates and answers in one response. Usual is one of each.
const MAX_PARTS: usize = 100;

/// ```text
/// OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED,
///   responseBytes [0] SEQUENCE { responseType OID, response OCTET STRING } OPTIONAL }
/// BasicOCSPResponse ::= SEQUENCE { tbsResponseData ResponseData, signatureAlgorithm AlgorithmIdentifier,
///   signature BIT STRING, certs [0] SEQUENCE OF Certificate OPTIONAL }
/// ```
pub(super) fn response(der: &[u8]) -> Result<Inner, RevocationError> {
    let mut outer = single(der, tag::SEQUENCE, "an OCSPResponse")?.reader();
    let status = outer.expect(ENUMERATED, "the status of the response")?.value;
    let bytes = outer.optional(tag::context_constructed(0))?;
    outer.end()?;
    refusal(status)?;
    let bytes = bytes.ok_or(RevocationError::Malformed("the bytes of the response"))?;
    let mut bytes = single(bytes.value, tag::SEQUENCE, "the bytes of the response")?.reader();
    if bytes.expect(tag::OID, "the type of the response")?.value != oid::OCSP_BASIC.as_bytes() {
        return Err(RevocationError::Malformed("a basic response"));
    }
    let basic = bytes.expect(tag::OCTET_STRING, "a basic response")?.value;
    bytes.end()?;

    let mut reader = single(basic, tag::SEQUENCE, "a BasicOCSPResponse")?.reader();
    let to_be_signed = reader.expect(tag::SEQUENCE, "the response data")?;
    let signature_algorithm = reader.expect(tag::SEQUENCE, "the signature algorithm")?;
    AlgorithmIdentifier::parse(signature_algorithm)?;
    let signature = reader.expect(tag::BIT_STRING, "the signature")?.bit_string_bytes()?;
    let certificates = match reader.optional(tag::context_constructed(0))? {
        Some(wrapped) => certificates(single(wrapped.value, tag::SEQUENCE, "the certificates")?)?,
        None => Vec::new(),
    };
    reader.end()?;

    let data = ResponseData::parse(der, to_be_signed)?;
    Ok(Inner {
        sha256: Digest::sha256(der),
        basic: range_in(der, basic),
        to_be_signed: range_in(der, to_be_signed.raw),
        signature_algorithm: range_in(der, signature_algorithm.raw),
        signature: range_in(der, signature),
        responder: data.responder,
        produced_at: data.produced_at,
        answers: data.answers,
        nonce: data.nonce,
        certificates,
        unprocessed: data.unprocessed,
        verified_by: OnceLock::new(),
        der: der.to_vec(),
    })
}

/// `OCSPResponseStatus`: 0 is success, 4 is not used.
fn refusal(status: &[u8]) -> Result<(), RevocationError> {
    Err(RevocationError::Refused(match status {
        [0] => return Ok(()),
        [1] => ResponseStatus::MalformedRequest,
        [2] => ResponseStatus::InternalError,
        [3] => ResponseStatus::TryLater,
        [5] => ResponseStatus::SignatureRequired,
        [6] => ResponseStatus::Unauthorized,
        _ => return Err(RevocationError::Malformed("a known status of the response")),
    }))
}

/// Certificates that cannot be read cannot help, but do not spoil the answer either: they are not signed.
fn certificates(list: Tlv<'_>) -> Result<Vec<Certificate>, RevocationError> {
    let (mut found, mut reader, mut count) = (Vec::new(), list.reader(), 0);
    while !reader.is_empty() {
        count += 1;
        if count > MAX_PARTS {
            return Err(RevocationError::Limit("an OCSP response has at most 100 certificates"));
        }
        found.extend(Certificate::from_der(reader.element()?.raw).ok());
    }
    Ok(found)
}

/// ```text
/// ResponseData ::= SEQUENCE { version [0] INTEGER DEFAULT v1, responderID ResponderID,
///   producedAt GeneralizedTime, responses SEQUENCE OF SingleResponse, responseExtensions [1] OPTIONAL }
/// ```
struct ResponseData {
    responder: Responder,
    produced_at: crate::Timestamp,
    answers: Vec<Answer>,
    nonce: Option<Range<usize>>,
    unprocessed: Option<String>,
}

impl ResponseData {
    fn parse(der: &[u8], data: Tlv<'_>) -> Result<Self, RevocationError> {
        let mut reader = data.reader();
        if let Some(version) = reader.optional(tag::context_constructed(0))?
            && single(version.value, tag::INTEGER, "the version")?.value != [0]
        {
            return Err(RevocationError::Malformed("version 1"));
        }
        let responder = reader.element()?;
        let responder = match responder.tag {
            named if named == tag::context_constructed(1) => {
                crate::x509::check_name(responder.value)?;
                Responder::Name(range_in(der, responder.value))
            }
            keyed if keyed == tag::context_constructed(2) => {
                let hash = single(responder.value, tag::OCTET_STRING, "the hash of the responder's key")?;
                Responder::Key(range_in(der, hash.value))
            }
            _ => return Err(RevocationError::Malformed("the name or the key of the responder")),
        };
        let produced_at = reader.expect(tag::GENERALIZED_TIME, "the time of the response")?.time()?;
        let mut list = reader.expect(tag::SEQUENCE, "the answers")?.reader();
        let mut unprocessed = None;
        let mut answers = Vec::new();
        while !list.is_empty() {
            if answers.len() == MAX_PARTS {
                return Err(RevocationError::Limit("an OCSP response has at most 100 answers"));
            }
            answers.push(answer(der, list.expect(tag::SEQUENCE, "an answer")?, &mut unprocessed)?);
        }
        if answers.is_empty() {
            return Err(RevocationError::Malformed("at least one answer"));
        }
        let mut nonce = None;
        if let Some(wrapped) = reader.optional(tag::context_constructed(1))? {
            each_extension(
                single(wrapped.value, tag::SEQUENCE, "the extensions")?,
                |id, critical, value| {
                    if id == oid::OCSP_NONCE.as_bytes() {
                        // Before RFC 8954 some wrote the bytes without the OCTET STRING.
                        let bytes =
                            single(value, tag::OCTET_STRING, "a nonce").map_or(value, |nonce| nonce.value);
                        nonce = Some(range_in(der, bytes));
                    } else if critical && unprocessed.is_none() {
                        unprocessed = Some(oid::to_text(id));
                    }
                    Ok(())
                },
            )?;
        }
        reader.end()?;
        Ok(Self { responder, produced_at, answers, nonce, unprocessed })
    }
}

/// ```text
/// SingleResponse ::= SEQUENCE { certID CertID, certStatus CertStatus, thisUpdate GeneralizedTime,
///   nextUpdate [0] GeneralizedTime OPTIONAL, singleExtensions [1] Extensions OPTIONAL }
/// CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING,
///   issuerKeyHash OCTET STRING, serialNumber INTEGER }
/// ```
fn answer(der: &[u8], answer: Tlv<'_>, unprocessed: &mut Option<String>) -> Result<Answer, Malformed> {
    let mut reader = answer.reader();
    let mut id = reader.expect(tag::SEQUENCE, "the identifier of a certificate")?.reader();
    let algorithm = AlgorithmIdentifier::read(&mut id)?.oid;
    let hash_algorithm = match DigestAlgorithm::from_oid(algorithm) {
        Some(algorithm) => HashAlgorithm::Sha2(algorithm),
        None if algorithm == oid::SHA1.as_bytes() => HashAlgorithm::Sha1,
        None => HashAlgorithm::Other,
    };
    let name_hash = range_in(der, id.expect(tag::OCTET_STRING, "the hash of the issuer's name")?.value);
    let key_hash = range_in(der, id.expect(tag::OCTET_STRING, "the hash of the issuer's key")?.value);
    let serial = range_in(der, id.expect(tag::INTEGER, "the serial number")?.raw);
    id.end()?;
    let standing = standing(reader.element()?)?;
    let this_update = reader.expect(tag::GENERALIZED_TIME, "the time of an answer")?.time()?;
    let time = |wrapped: Tlv<'_>| single(wrapped.value, tag::GENERALIZED_TIME, "a time")?.time();
    let next_update = reader.optional(tag::context_constructed(0))?.map(time).transpose()?;
    let mut archive_cutoff = None;
    if let Some(wrapped) = reader.optional(tag::context_constructed(1))? {
        each_extension(single(wrapped.value, tag::SEQUENCE, "the extensions")?, |id, critical, value| {
            if id == oid::OCSP_ARCHIVE_CUTOFF.as_bytes() {
                archive_cutoff = Some(single(value, tag::GENERALIZED_TIME, "the archive cutoff")?.time()?);
            } else if critical && unprocessed.is_none() {
                *unprocessed = Some(oid::to_text(id));
            }
            Ok(())
        })?;
    }
    reader.end()?;
    Ok(Answer {
        hash_algorithm,
        name_hash,
        key_hash,
        serial,
        standing,
        this_update,
        next_update,
        archive_cutoff,
    })
}

/// `CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL }`
fn standing(choice: Tlv<'_>) -> Result<Standing, Malformed> {
    if choice.tag == tag::context(0) {
        return Ok(Standing::Good);
    }
    if choice.tag == tag::context(2) {
        return Ok(Standing::Unknown);
    }
    if choice.tag != tag::context_constructed(1) {
        return Err(Malformed("good, revoked or unknown"));
    }
    let mut info: Reader<'_> = choice.reader();
    let at = info.expect(tag::GENERALIZED_TIME, "the time of the revocation")?.time()?;
    let reason = match info.optional(tag::context_constructed(0))? {
        Some(wrapped) => Reason::from_enumerated(single(wrapped.value, ENUMERATED, "a CRLReason")?.value)?,
        None => Reason::Unspecified,
    };
    info.end()?;
    Ok(Standing::Revoked { at, reason })
}
