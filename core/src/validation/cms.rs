//! Checks of a CMS signature (standards: RFC 5652, RFC 5035, RFC 5280, ETSI EN 319 102-1 §5.2).

mod content;
mod trust;

pub use content::Content;
use content::check_message_digest;
use trust::check_certificate;

use super::{Check, Context, Report, SignatureReport, SubIndication, ValidationError};
use crate::cms::{SignedAttributes, SignedData, SignerInfo};
use crate::oid;
use crate::wire::SignatureFormat;
use crate::x509::{Certificate, SignatureAlgorithm, UnusableAlgorithm};

/// What the surroundings of a signature ask of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureKind {
    /// A file of its own.
    Cades,
    /// Inside a PDF: one signer, no content inside (ETSI EN 319 142-1 §6.3).
    Pades,
}

/// Validates a CMS file: every signer in it.
///
/// Without trust anchors the result is at best indeterminate (`NO_CERTIFICATE_CHAIN_FOUND`).
///
/// # Errors
/// `cms_malformed`; `not_signed` for a bundle of certificates; `content_required` when the signature is
/// detached and `content` is [`Content::Inside`].
pub fn validate_cms(cms: &[u8], content: Content<'_>, context: &Context) -> Result<Report, ValidationError> {
    let signed = SignedData::parse(cms)?;
    if signed.signers().is_empty() {
        return Err(ValidationError::NotSigned);
    }
    if matches!(content, Content::Inside) && signed.content().is_none() {
        return Err(ValidationError::ContentRequired);
    }
    let reports = signed
        .signers()
        .iter()
        .map(|signer| signature_report(&signed, signer, content, context, SignatureKind::Cades))
        .collect();
    Ok(Report::new(context.at, reports))
}

/// Makes every check of one signer and concludes. The caller may add findings and conclude again.
pub(crate) fn signature_report(
    signed: &SignedData,
    signer: &SignerInfo,
    content: Content<'_>,
    context: &Context,
    kind: SignatureKind,
) -> SignatureReport {
    let format = match kind {
        SignatureKind::Cades => SignatureFormat::Cades,
        SignatureKind::Pades => SignatureFormat::Pades,
    };
    let mut report = SignatureReport::new(format);
    check_format(&mut report, signed, kind);
    let certificate = find_certificate(&mut report, signed, signer);
    let attributes = read_attributes(&mut report, signed, signer);
    let algorithm = check_algorithms(&mut report, signed, signer, attributes.as_ref(), context);
    if let Some(attributes) = &attributes {
        report.claimed_time = attributes.signing_time();
        check_signing_time(&mut report, attributes, certificate, context);
        check_reference(&mut report, attributes, certificate);
        check_message_digest(&mut report, signed, signer, attributes, content);
    }
    if let (Some(algorithm), Some(certificate)) = (algorithm, certificate) {
        check_value(&mut report, signer, attributes.as_ref(), algorithm, certificate);
    }
    if let Some(certificate) = certificate {
        check_certificate(&mut report, signed, certificate, context);
    }
    report.conclude();
    report
}

fn check_format(report: &mut SignatureReport, signed: &SignedData, kind: SignatureKind) {
    if kind == SignatureKind::Pades {
        if signed.signers().len() != 1 {
            let count = signed.signers().len();
            let evidence = format!("{count} signers where a PDF signature has exactly one");
            return report.failed(Check::Format, SubIndication::FormatFailure, evidence);
        }
        if signed.content().is_some() {
            let evidence = "the signature encloses content of its own";
            return report.failed(Check::Format, SubIndication::FormatFailure, evidence);
        }
    }
    report.passed(Check::Format, if signed.is_ber() { "SignedData in BER" } else { "SignedData in DER" });
}

fn find_certificate<'a>(
    report: &mut SignatureReport,
    signed: &'a SignedData,
    signer: &SignerInfo,
) -> Option<&'a Certificate> {
    let found = signed.certificate_of(&signer.id);
    match found {
        Some(certificate) => {
            report.signer = Some(certificate.view());
            report.passed(Check::SignerCertificate, format!("sha256:{}", certificate.sha256().to_hex()));
        }
        None => report.indeterminate(
            Check::SignerCertificate,
            SubIndication::NoSigningCertificateFound,
            format!("none or several of the {} certificates are named", signed.certificates().len()),
        ),
    }
    found
}

/// Signed attributes are required: without them the attributes of one signature could be presented as
/// the content of another.
fn read_attributes(
    report: &mut SignatureReport,
    signed: &SignedData,
    signer: &SignerInfo,
) -> Option<SignedAttributes> {
    let check = Check::SignedAttributes;
    let Some(set) = &signer.signed_attributes else {
        report.failed(check, SubIndication::FormatFailure, "there are no signed attributes");
        return None;
    };
    let attributes = match SignedAttributes::parse(set) {
        Ok(attributes) => attributes,
        Err(error) => {
            report.failed(check, SubIndication::FormatFailure, error.to_string());
            return None;
        }
    };
    if attributes.content_type() != Some(signed.content_type()) {
        report.failed(
            check,
            SubIndication::FormatFailure,
            "content-type is absent or differs from the type of the content",
        );
    } else if !attributes.content_type_is_data() {
        report.failed(check, SubIndication::FormatFailure, "the content is not id-data");
    } else {
        report.passed(check, format!("{} attributes, each once", attributes.kinds().len()));
    }
    if !attributes.is_sorted() {
        report.warning(check, "the attributes are not in the order that DER asks for");
    }
    Some(attributes)
}

/// The digest is named in three places and the signature algorithm in up to two: they must agree.
fn check_algorithms(
    report: &mut SignatureReport,
    signed: &SignedData,
    signer: &SignerInfo,
    attributes: Option<&SignedAttributes>,
    context: &Context,
) -> Option<SignatureAlgorithm> {
    let check = Check::Algorithms;
    let algorithm = match signer.signature_algorithm() {
        Ok(algorithm) => algorithm,
        Err(UnusableAlgorithm::Weak(oid)) => {
            report.indeterminate(
                check,
                SubIndication::CryptoConstraintsFailure,
                format!("{oid} is a weak algorithm"),
            );
            return None;
        }
        Err(UnusableAlgorithm::Unknown(oid)) => {
            report.indeterminate(
                check,
                SubIndication::Generic,
                format!("algorithm {oid} is not computed here"),
            );
            return None;
        }
    };
    report.signature_algorithm = Some(algorithm.as_str().to_owned());
    if algorithm.digest_algorithm().oid().as_bytes() != signer.digest_algorithm() {
        let evidence =
            format!("{} beside digest {}", algorithm.as_str(), oid::to_text(signer.digest_algorithm()));
        report.failed(check, SubIndication::FormatFailure, evidence);
        return None;
    }
    if !signed.digest_algorithms().iter().any(|listed| listed == signer.digest_algorithm()) {
        report.failed(
            check,
            SubIndication::FormatFailure,
            "the signer's digest algorithm is not among those of the SignedData",
        );
        return None;
    }
    if let Some((digest, signature)) = attributes.and_then(SignedAttributes::algorithm_protection)
        && (digest != signer.digest_algorithm()
            || signature.is_some_and(|signature| signature != signer.signature_algorithm_oid()))
    {
        report.failed(
            check,
            SubIndication::FormatFailure,
            "CMSAlgorithmProtection names other algorithms than were used",
        );
        return None;
    }
    if context.accepts(algorithm.digest_algorithm()) {
        report.passed(check, algorithm.as_str());
    } else {
        let evidence =
            format!("{} is not among the digests accepted here", algorithm.digest_algorithm().as_str());
        report.indeterminate(check, SubIndication::CryptoConstraintsFailure, evidence);
    }
    Some(algorithm)
}

/// A claim far from the truth is worth a warning; it never decides, for it proves nothing.
fn check_signing_time(
    report: &mut SignatureReport,
    attributes: &SignedAttributes,
    certificate: Option<&Certificate>,
    context: &Context,
) {
    let Some(claimed) = attributes.signing_time() else { return };
    let check = Check::SigningTime;
    if claimed > context.at {
        report.warning(check, format!("the signer claims {claimed}, which is later than {}", context.at));
    } else if certificate.is_some_and(|certificate| !certificate.is_valid_at(claimed)) {
        report.warning(check, format!("the signer claims {claimed}, outside the certificate's validity"));
    } else {
        report.passed(check, format!("{claimed}, as the signer claims"));
    }
}

fn check_reference(
    report: &mut SignatureReport,
    attributes: &SignedAttributes,
    certificate: Option<&Certificate>,
) {
    let check = Check::SigningCertificateReference;
    let Some(reference) = attributes.signing_certificate() else {
        let evidence = if attributes.has(oid::SIGNING_CERTIFICATE_V1) {
            "only the first version of signing-certificate is there, whose hash is SHA-1"
        } else {
            "signing-certificate-v2 is absent: the certificate could have been exchanged"
        };
        return report.indeterminate(check, SubIndication::SigConstraintsFailure, evidence);
    };
    let Some(certificate) = certificate else { return };
    match reference.refers_to(certificate) {
        Some(true) => report.passed(check, "signing-certificate-v2 refers to the certificate"),
        Some(false) => report.indeterminate(
            check,
            SubIndication::SigConstraintsFailure,
            "signing-certificate-v2 refers to another certificate",
        ),
        None => report.indeterminate(
            check,
            SubIndication::CryptoConstraintsFailure,
            "signing-certificate-v2 uses a digest that is not accepted",
        ),
    }
}

fn check_value(
    report: &mut SignatureReport,
    signer: &SignerInfo,
    attributes: Option<&SignedAttributes>,
    algorithm: SignatureAlgorithm,
    certificate: &Certificate,
) {
    let check = Check::SignatureValue;
    let (Some(set), Some(attributes)) = (&signer.signed_attributes, attributes) else { return };
    let key = match certificate.public_key() {
        Ok(key) => key,
        Err(error) => return report.indeterminate(check, SubIndication::Generic, error.to_string()),
    };
    let verifies = |set: &[u8]| key.verify_message(algorithm, set, &signer.value).is_ok();
    // Writers that forget to sort either sign what they store or sort only what they sign.
    if verifies(set) || (!attributes.is_sorted() && verifies(&SignedAttributes::sorted(set))) {
        report.passed(check, format!("{} with {}", algorithm.as_str(), key.describe()));
    } else {
        report.failed(check, SubIndication::SigCryptoFailure, "the signature value does not verify");
    }
}

#[cfg(test)]
mod tests;
