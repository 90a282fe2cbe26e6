//! Validation data in and out of a SignedData.

use const_oid::ObjectIdentifier;

use super::{CadesError, Stamp};
use crate::cms::{CmsError, Parts, SignedAttributes, SignedData, SignerInfo, ocsp_response};
use crate::oid;
use crate::revocation::{Crl, Evidence, OcspResponse};
use crate::tlv::{Malformed, Reader, Tlv, single, tag};
use crate::tsp::TimeStampToken;
use crate::x509::Certificate;

/// Deepest nesting of tokens in tokens that is followed: a signature, its archive time stamp, what that brings.
const MAX_DEPTH: usize = 3;
/// Certificates, CRLs and OCSP responses in all.
const MAX_ITEMS: usize = 5_000;
/// Attributes that bring evidence: values, and time stamps with what is in their tokens.
const KINDS: [ObjectIdentifier; 9] = [
    oid::CERTIFICATE_VALUES,
    oid::REVOCATION_VALUES,
    oid::CONTENT_TIME_STAMP,
    oid::SIGNATURE_TIME_STAMP,
    oid::ESC_TIME_STAMP,
    oid::CERT_CRL_TIME_STAMP,
    oid::ARCHIVE_TIME_STAMP_V1,
    oid::ARCHIVE_TIME_STAMP_V2,
    oid::ARCHIVE_TIME_STAMP_V3,
];

/// Adds certificates, CRLs and OCSP responses to the SignedData: level LT of ETSI, for all of its signers. May be
/// repeated, before an archive time stamp is renewed for instance.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer, no signature time stamp, or an
/// archive time stamp of the second version, which covers these sets as they are.
pub fn add_validation_data(cms: &[u8], position: usize, evidence: &Evidence) -> Result<Vec<u8>, CadesError> {
    let mut parts = Parts::read(cms)?;
    if !parts.signer(position)?.has(oid::SIGNATURE_TIME_STAMP) {
        return Err(CmsError::NotExtendable("there is no signature time stamp").into());
    }
    if add(&mut parts, evidence) && parts.any_signer_has(oid::ARCHIVE_TIME_STAMP_V2) {
        let why = "an archive time stamp covers the certificates and revocation data as they are";
        return Err(CmsError::NotExtendable(why).into());
    }
    Ok(parts.write()?)
}

/// Adds certificates and revocation data to the token of the latest archive time stamp of the second version, so
/// that the next one covers what verifies it. Nobody signed that part of a token.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer or no such time stamp.
pub fn add_evidence_to_archive(
    cms: &[u8],
    position: usize,
    evidence: &Evidence,
) -> Result<Vec<u8>, CadesError> {
    let mut parts = Parts::read(cms)?;
    let stamps = parts.signer(position)?.of(oid::ARCHIVE_TIME_STAMP_V2);
    let stamps = stamps.filter_map(|(at, attribute)| {
        let token = TimeStampToken::from_der(attribute.values().next()?).ok()?;
        Some((at, token))
    });
    let latest = stamps.max_by_key(|(_, token)| token.time());
    let (at, token) = latest.ok_or(CmsError::NotExtendable("there is no archive time stamp"))?;
    let mut enriched = Parts::read(token.der())?;
    add(&mut enriched, evidence);
    let enriched = enriched.write()?;
    parts.replace_unsigned(position, at, oid::ARCHIVE_TIME_STAMP_V2, &enriched);
    Ok(parts.write()?)
}

/// Returns whether something was added.
fn add(parts: &mut Parts<'_>, evidence: &Evidence) -> bool {
    let mut added = false;
    for certificate in &evidence.certificates {
        added |= parts.add_certificate(certificate.der());
    }
    for crl in &evidence.crls {
        added |= parts.add_crl(crl.der());
    }
    for response in &evidence.ocsp_responses {
        added |= parts.add_ocsp_response(response.der());
    }
    added
}

/// Gathers what the signer at `position` brings along to be verified with: certificates and revocation data of
/// the SignedData, of certificate-values and revocation-values, of adbe-revocationInfoArchival, and of the time
/// stamp tokens. Nothing of it is trusted; what cannot be read is passed over.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer.
pub fn embedded_evidence(cms: &[u8], position: usize) -> Result<Evidence, CmsError> {
    let signed = SignedData::parse(cms)?;
    let signer = signed.signers().get(position);
    let signer = signer.ok_or(CmsError::NotExtendable("there is no such signer"))?;
    Ok(embedded_evidence_of(&signed, signer))
}

/// The same of a time stamp token.
#[must_use]
pub fn embedded_evidence_of_token(token: &TimeStampToken) -> Evidence {
    embedded_evidence_of(token.signed_data(), token.signer())
}

/// The same of a signer wherever it stands, which for a counter-signature is in an attribute.
pub(crate) fn embedded_evidence_of(signed: &SignedData, signer: &SignerInfo) -> Evidence {
    let mut evidence = Evidence::default();
    gather(signed, signer, &mut evidence, MAX_DEPTH);
    evidence
}

/// Revocation data of the signer at `position` that `stamp`, one of its archive time stamps, covers: they existed
/// when it was made. What came later is left out, wherever it was put, the stamp's own token included.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer.
pub fn archived_evidence(cms: &[u8], position: usize, stamp: &Stamp) -> Result<Evidence, CmsError> {
    let parts = Parts::read(cms)?;
    let mut evidence = Evidence::default();
    for element in parts.revocation().unwrap_or_default().iter().filter(|element| stamp.covers(element)) {
        take(&mut evidence, revocation_info(element).unwrap_or_default());
    }
    let own = stamp.token.as_ref().map_or(&[][..], TimeStampToken::der);
    for (_, attribute) in parts.signer(position)?.attributes() {
        let Some(kind) = KINDS.into_iter().find(|kind| attribute.is(*kind)) else { continue };
        for value in attribute.values().filter(|value| *value != own && stamp.covers(value)) {
            gather_value(kind, value, &mut evidence, MAX_DEPTH - 1);
        }
    }
    evidence.certificates.clear();
    Ok(evidence)
}

/// One element of the field crls.
fn revocation_info(element: &[u8]) -> Option<Evidence> {
    let choice = Reader::new(element).element().ok()?;
    if let Some(response) = ocsp_response(choice) {
        let ocsp_responses = vec![OcspResponse::from_der(response).ok()?];
        return Some(Evidence { ocsp_responses, ..Evidence::default() });
    }
    Some(Evidence { crls: vec![Crl::from_der(element).ok()?], ..Evidence::default() })
}

/// Takes over what came, unless there is more already than any signature needs: finding doubles takes time.
fn take(evidence: &mut Evidence, found: Evidence) {
    let size = |evidence: &Evidence| {
        evidence.certificates.len() + evidence.crls.len() + evidence.ocsp_responses.len()
    };
    if size(evidence) + size(&found) <= MAX_ITEMS {
        evidence.merge(found);
    }
}

fn gather(signed: &SignedData, signer: &SignerInfo, evidence: &mut Evidence, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    take(
        evidence,
        Evidence {
            certificates: signed.certificates().to_vec(),
            crls: signed.crls().iter().filter_map(|crl| Crl::from_der(crl).ok()).collect(),
            ocsp_responses: signed
                .ocsp_responses()
                .iter()
                .filter_map(|response| OcspResponse::from_der(response).ok())
                .collect(),
        },
    );
    let attributes = signer.signed_attributes.as_deref().map(SignedAttributes::parse);
    if let Some(Ok(attributes)) = &attributes {
        if let Some(archival) = attributes.revocation_archival() {
            take(evidence, revocation(archival, OcspResponse::from_der).unwrap_or_default());
        }
        if let Some(token) = attributes.content_time_stamp() {
            gather_value(oid::CONTENT_TIME_STAMP, token, evidence, depth);
        }
    }
    for attribute in signer.unsigned_attributes() {
        let Some(kind) = KINDS.into_iter().find(|kind| attribute.is(*kind)) else { continue };
        for value in attribute.values() {
            gather_value(kind, value, evidence, depth);
        }
    }
}

/// Gathers from one value of an attribute.
fn gather_value(kind: ObjectIdentifier, value: &[u8], evidence: &mut Evidence, depth: usize) {
    match kind {
        oid::CERTIFICATE_VALUES => take(evidence, certificates(value).unwrap_or_default()),
        oid::REVOCATION_VALUES => {
            take(evidence, revocation(value, OcspResponse::from_basic_der).unwrap_or_default());
        }
        _ if KINDS.contains(&kind) => {
            if let Ok(token) = TimeStampToken::from_der(value) {
                gather(token.signed_data(), token.signer(), evidence, depth);
            }
        }
        _ => {}
    }
}

/// `CertificateValues ::= SEQUENCE OF Certificate`
fn certificates(values: &[u8]) -> Result<Evidence, Malformed> {
    let mut reader = single(values, tag::SEQUENCE, "certificate values")?.reader();
    let mut certificates = Vec::new();
    while !reader.is_empty() {
        certificates.extend(Certificate::from_der(reader.element()?.raw).ok());
    }
    Ok(Evidence { certificates, ..Evidence::default() })
}

/// `SEQUENCE { [0] SEQUENCE OF CertificateList OPTIONAL, [1] SEQUENCE OF response OPTIONAL, … }`: revocation-values
/// with BasicOCSPResponses, adbe-revocationInfoArchival with OCSPResponses.
fn revocation<E>(
    values: &[u8],
    read_response: impl Fn(&[u8]) -> Result<OcspResponse, E>,
) -> Result<Evidence, Malformed> {
    let mut reader = single(values, tag::SEQUENCE, "revocation values")?.reader();
    let crls = list(reader.optional(tag::context_constructed(0))?)?;
    let responses = list(reader.optional(tag::context_constructed(1))?)?;
    Ok(Evidence {
        certificates: Vec::new(),
        crls: crls.iter().filter_map(|crl| Crl::from_der(crl).ok()).collect(),
        ocsp_responses: responses.iter().filter_map(|response| read_response(response).ok()).collect(),
    })
}

fn list(field: Option<Tlv<'_>>) -> Result<Vec<&[u8]>, Malformed> {
    let mut elements = Vec::new();
    let Some(field) = field else { return Ok(elements) };
    let mut reader: Reader<'_> = single(field.value, tag::SEQUENCE, "a list of revocation values")?.reader();
    while !reader.is_empty() {
        elements.push(reader.element()?.raw);
    }
    Ok(elements)
}
