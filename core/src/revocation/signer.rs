//! Who signed a list or an answer, and whether that signer may speak about the certificate.

use super::status::{Question, Status, Why};
use super::{Crl, Evidence, OcspResponse};
use crate::oid;
use crate::x509::{Certificate, SignatureAlgorithm, UnusableAlgorithm, build_path, same_name};

/// Certificates tried as signer of one list. Same-named authorities are few.
const MAX_CANDIDATES: usize = 8;

/// Finds the authority that signed the list (RFC 5280 §6.3.3 f, g).
///
/// It is the issuer of the path, or an authority of the same name with another key that leads to the same
/// anchor. The latter must not be revoked by anything at hand, this list included; that nothing else is
/// said of it is accepted, because often the list is all there is.
pub(super) fn check_crl(crl: &Crl, question: &Question<'_>) -> Result<(), Why> {
    let algorithm = usable(crl.signature_algorithm())?;
    let candidates = core::iter::once(question.issuer)
        .chain(&question.evidence.certificates)
        .chain(question.anchors.certificates())
        .filter(|candidate| same_name(candidate.subject(), crl.issuer_der()))
        .filter(|candidate| match (crl.authority_key_id(), candidate.subject_key_id()) {
            (Some(wanted), Some(own)) => wanted == own,
            (None, _) | (_, None) => true,
        })
        .take(MAX_CANDIDATES);
    let mut failure = Why::NotAuthorised("no certificate of the CRL's signer is at hand".to_owned());
    for candidate in candidates {
        let Ok(key) = candidate.public_key() else { continue };
        if !crl.is_signed_by(algorithm, &key) {
            failure = Why::SignatureInvalid;
        } else if candidate.extensions().key_usage.is_some_and(|usage| !usage.crl_sign) {
            failure = Why::NotAuthorised("keyUsage of the CRL's signer lacks cRLSign".to_owned());
        } else if candidate == question.issuer || leads_to_same_anchor(candidate, crl, question) {
            return Ok(());
        } else {
            failure = Why::NotAuthorised("the CRL's signer has no path to the same anchor".to_owned());
        }
    }
    Err(failure)
}

fn leads_to_same_anchor(signer: &Certificate, crl: &Crl, question: &Question<'_>) -> bool {
    let intermediates = [question.path, &question.evidence.certificates].concat();
    let Ok(path) = build_path(signer, &intermediates, question.anchors, crl.this_update()) else {
        return false;
    };
    if path.last() != question.path.last() || !signer.is_valid_at(crl.this_update()) {
        return false;
    }
    // Bounded: the signer of the list that speaks about a signer is not asked about in turn.
    question.is_nested
        || !matches!(question.about(&path, 0), Some(inner) if matches!(inner.status(), Status::Revoked { .. }))
}

/// Finds who signed the answer (RFC 6960 §4.2.2.2): the issuer itself, or a responder to which the same
/// issuer gave a certificate with OCSPSigning.
///
/// A responder whose certificate lacks ocsp-nocheck must be good by a CRL at hand; another OCSP answer does
/// not count, since the responder would speak about itself.
pub(super) fn check_ocsp(response: &OcspResponse, question: &Question<'_>) -> Result<(), Why> {
    let algorithm = usable(response.signature_algorithm())?;
    let issuer = question.issuer;
    if response.names_responder(issuer)
        && issuer.public_key().is_ok_and(|key| response.is_signed_by(algorithm, &key))
    {
        return Ok(());
    }
    let mut failure = Why::NotAuthorised("no certificate of the OCSP responder is at hand".to_owned());
    let candidates = response
        .certificates()
        .iter()
        .chain(&question.evidence.certificates)
        .filter(|candidate| response.names_responder(candidate))
        .take(MAX_CANDIDATES);
    for responder in candidates {
        match check_responder(responder, response, algorithm, question) {
            Ok(()) => return Ok(()),
            Err(why) => failure = why,
        }
    }
    Err(failure)
}

fn check_responder(
    responder: &Certificate,
    response: &OcspResponse,
    algorithm: SignatureAlgorithm,
    question: &Question<'_>,
) -> Result<(), Why> {
    let refused = |reason: &str| Err(Why::NotAuthorised(format!("the OCSP responder {reason}")));
    if !responder.public_key().is_ok_and(|key| response.is_signed_by(algorithm, &key)) {
        return Err(Why::SignatureInvalid);
    }
    if !responder.has_extended_key_usage(oid::OCSP_SIGNING) {
        return refused("has no OCSPSigning");
    }
    if responder.extensions().unprocessed.is_some() {
        return refused("has a critical extension that is not evaluated");
    }
    if responder
        .extensions()
        .key_usage
        .is_some_and(|usage| !usage.digital_signature && !usage.non_repudiation)
    {
        return refused("may not sign");
    }
    let issued = same_name(responder.issuer(), question.issuer.subject())
        && usable(responder.signature_algorithm()).is_ok_and(|algorithm| {
            question.issuer.public_key().is_ok_and(|key| responder.verify_issued_by(algorithm, &key).is_ok())
        });
    if !issued {
        return refused("was not appointed by the issuer of the certificate");
    }
    if !responder.is_valid_at(response.produced_at()) {
        return refused("was out of its validity");
    }
    if responder.extensions().ocsp_no_check {
        return Ok(());
    }
    let path = [core::slice::from_ref(responder), &question.path[question.index + 1..]].concat();
    let evidence = Evidence { ocsp_responses: Vec::new(), ..question.evidence.clone() };
    let inner = Question { evidence: &evidence, ..*question };
    match inner.about(&path, 0).map(|inner| inner.status()) {
        Some(Status::Good(_)) => Ok(()),
        Some(Status::Revoked { .. }) => refused("is revoked"),
        Some(Status::Unknown(_)) | None => refused("has no ocsp-nocheck, and no CRL speaks about it"),
    }
}

fn usable(algorithm: Result<SignatureAlgorithm, UnusableAlgorithm>) -> Result<SignatureAlgorithm, Why> {
    algorithm.map_err(|unusable| match unusable {
        UnusableAlgorithm::Weak(_) => Why::WeakAlgorithm,
        UnusableAlgorithm::Unknown(oid) => Why::Unsupported(format!("algorithm {oid}")),
    })
}
