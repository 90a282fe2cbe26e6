//! Certificates and revocation data that a signature carries: where ETSI puts them and where ICP-Brasil does.

use super::cms::Subject;
use crate::cms::SignedData;
use crate::oid;
use crate::revocation::{Crl, Evidence, OcspResponse};
use crate::tlv::{Malformed, Tlv, single, tag};
use crate::x509::Certificate;

/// Pieces taken from one place. What a signature needs is a handful.
const MAX_PIECES: usize = 1_000;

/// What lies in the SignedData itself (ETSI EN 319 122-1 §5.4). What cannot be read helps nobody and is left out.
pub(super) fn of_signed_data(signed: &SignedData) -> Evidence {
    Evidence {
        certificates: signed.certificates().to_vec(),
        crls: signed.crls().iter().filter_map(|der| Crl::from_der(der).ok()).collect(),
        ocsp_responses: signed
            .ocsp_responses()
            .iter()
            .filter_map(|der| OcspResponse::from_der(der).ok())
            .collect(),
    }
}

/// The same with certificate-values and revocation-values of the signer (RFC 5126 §6.3).
pub(super) fn of_signer(subject: Subject<'_>) -> Evidence {
    let mut evidence = of_signed_data(subject.signed);
    for attribute in subject.signer.unsigned_attributes() {
        let read = if attribute.is(oid::CERTIFICATE_VALUES) {
            certificate_values
        } else if attribute.is(oid::REVOCATION_VALUES) {
            revocation_values
        } else {
            continue;
        };
        for value in attribute.values() {
            evidence.merge(read(value).unwrap_or_default());
        }
    }
    evidence
}

/// `CertificateValues ::= SEQUENCE OF Certificate`
fn certificate_values(value: &[u8]) -> Result<Evidence, Malformed> {
    let certificates = elements(single(value, tag::SEQUENCE, "certificate-values")?)?
        .into_iter()
        .filter_map(|certificate| Certificate::from_der(certificate.raw).ok())
        .collect();
    Ok(Evidence { certificates, ..Evidence::default() })
}

/// `RevocationValues ::= SEQUENCE { crlVals [0] SEQUENCE OF CertificateList OPTIONAL,
/// ocspVals [1] SEQUENCE OF BasicOCSPResponse OPTIONAL, otherRevVals [2] … OPTIONAL }`
fn revocation_values(value: &[u8]) -> Result<Evidence, Malformed> {
    let mut reader = single(value, tag::SEQUENCE, "revocation-values")?.reader();
    let mut evidence = Evidence::default();
    if let Some(wrapped) = reader.optional(tag::context_constructed(0))? {
        let list = elements(single(wrapped.value, tag::SEQUENCE, "a list of CRLs")?)?;
        evidence.crls = list.into_iter().filter_map(|crl| Crl::from_der(crl.raw).ok()).collect();
    }
    if let Some(wrapped) = reader.optional(tag::context_constructed(1))? {
        let list = elements(single(wrapped.value, tag::SEQUENCE, "a list of OCSP responses")?)?;
        let read = |response: Tlv<'_>| OcspResponse::from_basic_der(response.raw).ok();
        evidence.ocsp_responses = list.into_iter().filter_map(read).collect();
    }
    Ok(evidence)
}

fn elements(sequence: Tlv<'_>) -> Result<Vec<Tlv<'_>>, Malformed> {
    let (mut reader, mut elements) = (sequence.reader(), Vec::new());
    while !reader.is_empty() {
        if elements.len() == MAX_PIECES {
            return Err(Malformed("at most 1000 pieces of evidence"));
        }
        elements.push(reader.element()?);
    }
    Ok(elements)
}
