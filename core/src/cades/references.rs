//! References to validation data and the data itself as unsigned attributes: AD-RV and AD-RC of ICP-Brasil (RFC
//! 5126 §6.2, §6.3). ETSI's baseline levels forbid them.

use super::CadesError;
use super::levels::check_attributes_may_grow;
use crate::cms::{CmsError, Parts, SignedData};
use crate::digest::Digest;
use crate::revocation::{Crl, Evidence, OcspResponse};
use crate::tlv::{Malformed, Reader, encode, single, tag};
use crate::x509::Certificate;
use crate::{Timestamp, oid};

/// Adds complete-certificate-references and complete-revocation-references to the signer at `position`; with the
/// CAdES-C-time-stamp that follows this makes AD-RV.
///
/// `path` goes from the signer's certificate to the root. Referred to are the certificates above the signer and,
/// for every certificate but the root, each CRL of its issuer and each OCSP response about it in `evidence`.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer, no signature time stamp, references
/// already, a path of another signer, no revocation data for a certificate of the path, or an archive time stamp.
pub fn add_references(
    cms: &[u8],
    position: usize,
    path: &[Certificate],
    evidence: &Evidence,
) -> Result<Vec<u8>, CadesError> {
    let mut parts = Parts::read(cms)?;
    check_attributes_may_grow(&parts, position)?;
    let signer = parts.signer(position)?;
    if !signer.has(oid::SIGNATURE_TIME_STAMP) {
        return Err(CmsError::NotExtendable("there is no signature time stamp").into());
    }
    if signer.has(oid::CERTIFICATE_REFERENCES) || signer.has(oid::REVOCATION_REFERENCES) {
        return Err(CmsError::NotExtendable("there are references already").into());
    }
    let [first, above @ ..] = path else {
        return Err(CmsError::NotExtendable("there is no path to refer to").into());
    };
    if !SignedData::parse(cms)?.signers()[position].id.names(first) {
        return Err(CmsError::NotExtendable("the path is not the one of the signer").into());
    }
    let certificates = above.iter().map(certificate_reference).collect::<Vec<_>>().concat();
    let mut revocation = Vec::new();
    for pair in path.windows(2) {
        revocation.extend(revocation_reference(&pair[0], &pair[1], evidence)?);
    }
    parts.add_unsigned(position, oid::CERTIFICATE_REFERENCES, &encode(tag::SEQUENCE, &[&certificates]))?;
    parts.add_unsigned(position, oid::REVOCATION_REFERENCES, &encode(tag::SEQUENCE, &[&revocation]))?;
    Ok(parts.write()?)
}

/// Adds certificate-values and revocation-values with everything in `evidence`: AD-RC.
///
/// # Errors
/// `cms_malformed`; `signature_not_extendable` when there is no such signer, no references, values already, a
/// certificate or revocation data that is referred to is not in `evidence`, or an archive time stamp.
pub fn add_values(cms: &[u8], position: usize, evidence: &Evidence) -> Result<Vec<u8>, CadesError> {
    let mut parts = Parts::read(cms)?;
    check_attributes_may_grow(&parts, position)?;
    let signer = parts.signer(position)?;
    if signer.has(oid::CERTIFICATE_VALUES) || signer.has(oid::REVOCATION_VALUES) {
        return Err(CmsError::NotExtendable("there are values already").into());
    }
    for (kind, missing) in [
        (oid::CERTIFICATE_REFERENCES, "a certificate that is referred to is not at hand"),
        (oid::REVOCATION_REFERENCES, "revocation data that is referred to is not at hand"),
    ] {
        let references = signer.of(kind).flat_map(|(_, attribute)| attribute.values()).next();
        let references = references.ok_or(CmsError::NotExtendable("there are no references"))?;
        let hashes = if kind == oid::CERTIFICATE_REFERENCES {
            certificate_hashes(references)
        } else {
            revocation_hashes(references)
        };
        let hashes = hashes.map_err(CmsError::from)?;
        let at_hand = hashes_of(evidence);
        if !hashes.iter().all(|hash| at_hand.iter().any(|known| known.as_bytes() == &hash[..])) {
            return Err(CmsError::NotExtendable(missing).into());
        }
    }
    let certificates = evidence.certificates.iter().map(Certificate::der).collect::<Vec<_>>();
    parts.add_unsigned(position, oid::CERTIFICATE_VALUES, &encode(tag::SEQUENCE, &certificates))?;
    parts.add_unsigned(position, oid::REVOCATION_VALUES, &revocation_values(evidence))?;
    Ok(parts.write()?)
}

/// `RevocationValues ::= SEQUENCE { crlVals [0] SEQUENCE OF CertificateList OPTIONAL, ocspVals [1] SEQUENCE OF
/// BasicOCSPResponse OPTIONAL }`, tags explicit.
fn revocation_values(evidence: &Evidence) -> Vec<u8> {
    let list = |number, values: Vec<&[u8]>| {
        if values.is_empty() {
            return Vec::new();
        }
        encode(tag::context_constructed(number), &[&encode(tag::SEQUENCE, &values)])
    };
    let crls = list(0, evidence.crls.iter().map(Crl::der).collect());
    let responses = list(1, evidence.ocsp_responses.iter().map(OcspResponse::basic_der).collect());
    encode(tag::SEQUENCE, &[&crls, &responses])
}

/// `OtherCertID ::= SEQUENCE { otherCertHash OtherHash, issuerSerial SEQUENCE { GeneralNames, INTEGER } OPTIONAL }`
fn certificate_reference(certificate: &Certificate) -> Vec<u8> {
    let name = encode(tag::context_constructed(4), &[certificate.issuer()]);
    let issuer_serial = encode(tag::SEQUENCE, &[&encode(tag::SEQUENCE, &[&name]), certificate.serial()]);
    encode(tag::SEQUENCE, &[&other_hash(certificate.sha256()), &issuer_serial])
}

/// `CrlOcspRef ::= SEQUENCE { crlids [0] SEQUENCE { SEQUENCE OF CrlValidatedID } OPTIONAL, ocspids [1] SEQUENCE {
/// SEQUENCE OF OcspResponsesID } OPTIONAL }`, tags explicit.
fn revocation_reference(
    certificate: &Certificate,
    issuer: &Certificate,
    evidence: &Evidence,
) -> Result<Vec<u8>, CadesError> {
    let lists = evidence.crls.iter().filter(|crl| crl.issuer_der() == certificate.issuer());
    let lists = lists.map(crl_reference).collect::<Vec<_>>();
    let responses = evidence.ocsp_responses.iter().filter(|response| response.is_about(certificate, issuer));
    let responses = responses.map(ocsp_reference).collect::<Vec<_>>();
    if lists.is_empty() && responses.is_empty() {
        return Err(
            CmsError::NotExtendable("there is no revocation data for a certificate of the path").into()
        );
    }
    let field = |number, references: Vec<Vec<u8>>| {
        if references.is_empty() {
            return Vec::new();
        }
        let list = encode(tag::SEQUENCE, &[&references.concat()]);
        encode(tag::context_constructed(number), &[&encode(tag::SEQUENCE, &[&list])])
    };
    Ok(encode(tag::SEQUENCE, &[&field(0, lists), &field(1, responses)]))
}

/// `CrlValidatedID ::= SEQUENCE { crlHash OtherHash, crlIdentifier SEQUENCE { crlissuer Name, crlIssuedTime UTCTime,
/// crlNumber INTEGER OPTIONAL } OPTIONAL }`
fn crl_reference(crl: &Crl) -> Vec<u8> {
    let number = crl.number().map_or_else(Vec::new, |number| encode(tag::INTEGER, &[number]));
    let time = encode(tag::UTC_TIME, &[&compact(crl.this_update()).as_bytes()[2..]]);
    let identifier = encode(tag::SEQUENCE, &[crl.issuer_der(), &time, &number]);
    encode(tag::SEQUENCE, &[&other_hash(crl.sha256()), &identifier])
}

/// `OcspResponsesID ::= SEQUENCE { ocspIdentifier SEQUENCE { ocspResponderID ResponderID, producedAt
/// GeneralizedTime }, ocspRepHash OtherHash OPTIONAL }`. The hash is over the BasicOCSPResponse, the form in
/// which values are stored.
fn ocsp_reference(response: &OcspResponse) -> Vec<u8> {
    let responder = match (response.responder_name_der(), response.responder_key_hash()) {
        (Some(name), _) => encode(tag::context_constructed(1), &[name]),
        (None, hash) => {
            let hash = encode(tag::OCTET_STRING, &[hash.unwrap_or_default()]);
            encode(tag::context_constructed(2), &[&hash])
        }
    };
    let time = encode(tag::GENERALIZED_TIME, &[compact(response.produced_at()).as_bytes()]);
    let identifier = encode(tag::SEQUENCE, &[&responder, &time]);
    encode(tag::SEQUENCE, &[&identifier, &other_hash(&Digest::sha256(response.basic_der()))])
}

/// `OtherHash ::= CHOICE { sha1Hash OCTET STRING, otherHash SEQUENCE { hashAlgorithm, hashValue OCTET STRING } }`
fn other_hash(digest: &Digest) -> Vec<u8> {
    let algorithm = encode(tag::SEQUENCE, &[&encode(tag::OID, &[digest.algorithm().oid().as_bytes()])]);
    encode(tag::SEQUENCE, &[&algorithm, &encode(tag::OCTET_STRING, &[digest.as_bytes()])])
}

/// `YYYYMMDDHHMMSSZ`
fn compact(time: Timestamp) -> String {
    let date = time.to_date_time();
    let (hour, minute, second) = (date.hour(), date.minutes(), date.seconds());
    format!("{:04}{:02}{:02}{hour:02}{minute:02}{second:02}Z", date.year(), date.month(), date.day())
}

/// The hash values in complete-certificate-references.
fn certificate_hashes(references: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut reader = single(references, tag::SEQUENCE, "certificate references")?.reader();
    let mut hashes = Vec::new();
    while !reader.is_empty() {
        hashes.push(hash_value(&mut reader.expect(tag::SEQUENCE, "an OtherCertID")?.reader())?);
    }
    Ok(hashes)
}

/// The hash values in complete-revocation-references; what has none, an OCSP reference may, is passed over.
fn revocation_hashes(references: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let mut reader = single(references, tag::SEQUENCE, "revocation references")?.reader();
    let mut hashes = Vec::new();
    while !reader.is_empty() {
        let mut reference = reader.expect(tag::SEQUENCE, "a CrlOcspRef")?.reader();
        let lists = reference.optional(tag::context_constructed(0))?;
        let responses = reference.optional(tag::context_constructed(1))?;
        for (field, is_list) in [(lists, true), (responses, false)] {
            let Some(field) = field else { continue };
            let mut list = single(field.value, tag::SEQUENCE, "a list of references")?.reader();
            let mut list = list.expect(tag::SEQUENCE, "a list of references")?.reader();
            while !list.is_empty() {
                let mut reference = list.expect(tag::SEQUENCE, "a reference")?.reader();
                if !is_list {
                    reference.expect(tag::SEQUENCE, "an OcspIdentifier")?;
                }
                if !reference.is_empty() {
                    hashes.push(hash_value(&mut reference)?);
                }
            }
        }
    }
    Ok(hashes)
}

/// The value of the next OtherHash.
fn hash_value(reader: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    if let Some(sha1) = reader.optional(tag::OCTET_STRING)? {
        return Ok(sha1.value.to_vec());
    }
    let mut hash = reader.expect(tag::SEQUENCE, "an OtherHash")?.reader();
    hash.expect(tag::SEQUENCE, "the algorithm of a hash")?;
    Ok(hash.expect(tag::OCTET_STRING, "a hash")?.value.to_vec())
}

/// SHA-256 of everything, which is what we refer by.
fn hashes_of(evidence: &Evidence) -> Vec<Digest> {
    let certificates = evidence.certificates.iter().map(|certificate| *certificate.sha256());
    let lists = evidence.crls.iter().map(|crl| *crl.sha256());
    let responses = evidence.ocsp_responses.iter().map(|response| Digest::sha256(response.basic_der()));
    certificates.chain(lists).chain(responses).collect()
}

#[cfg(test)]
mod tests;
