//! Checks of one SignerInfo by itself, whatever it signs: a document, a time or another signature
//! (RFC 5652, RFC 5035; basic building blocks of ETSI EN 319 102-1 §5.2).

use super::content::check_message_digest;
use super::{Content, Role};
use crate::cms::{SignedAttributes, SignedData, SignerInfo};
use crate::validation::report::Record;
use crate::validation::{Check, Context, Finding, SubIndication};
use crate::x509::{Certificate, SignatureAlgorithm, UnusableAlgorithm};
use crate::{Timestamp, oid};

/// What the basic checks found.
pub(crate) struct Basic<'a> {
    /// The only certificate that the SignerInfo names.
    pub(crate) certificate: Option<&'a Certificate>,
    /// Signed attributes that can be read.
    pub(crate) attributes: Option<SignedAttributes>,
    /// The algorithm of the value, when it is known here.
    pub(crate) algorithm: Option<SignatureAlgorithm>,
}

/// A signature, its surroundings and its role.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) signed: &'a SignedData,
    pub(crate) signer: &'a SignerInfo,
    pub(crate) content: Content<'a>,
    pub(crate) role: Role,
    /// The file in which the signer stands, and its position there.
    pub(crate) file: Option<(&'a [u8], usize)>,
}

impl Subject<'_> {
    /// Whether the signer says that the content was stamped before.
    pub(crate) fn has_content_time_stamp(&self) -> bool {
        let set = self.signer.signed_attributes.as_deref();
        set.and_then(|set| SignedAttributes::parse(set).ok())
            .is_some_and(|attributes| attributes.content_time_stamp().is_some())
    }
}

/// Makes every check that needs no trust. `proof` is when the signature is proved to have existed.
pub(crate) fn check_basic<'a>(
    findings: &mut Vec<Finding>,
    subject: Subject<'a>,
    context: &Context,
    proof: Option<Timestamp>,
) -> Basic<'a> {
    let certificate = find_certificate(findings, subject);
    let attributes = read_attributes(findings, subject);
    let algorithm = check_algorithms(findings, subject, attributes.as_ref(), (context, proof));
    if let Some(attributes) = &attributes {
        check_reference(findings, attributes, certificate, subject.role);
        check_message_digest(findings, subject, attributes);
    }
    if let (Some(algorithm), Some(certificate)) = (algorithm, certificate) {
        check_value(findings, subject.signer, attributes.as_ref(), algorithm, certificate);
    }
    Basic { certificate, attributes, algorithm }
}

fn find_certificate<'a>(findings: &mut Vec<Finding>, subject: Subject<'a>) -> Option<&'a Certificate> {
    let found = subject.signed.certificate_of(&subject.signer.id);
    match found {
        Some(certificate) => {
            findings.passed(Check::SignerCertificate, format!("sha256:{}", certificate.sha256().to_hex()));
        }
        None => findings.indeterminate(
            Check::SignerCertificate,
            SubIndication::NoSigningCertificateFound,
            format!("none or several of the {} certificates are named", subject.signed.certificates().len()),
        ),
    }
    found
}

/// Signed attributes are required: without them the attributes of one signature could be presented as
/// the content of another.
fn read_attributes(findings: &mut Vec<Finding>, subject: Subject<'_>) -> Option<SignedAttributes> {
    let check = Check::SignedAttributes;
    let Some(set) = &subject.signer.signed_attributes else {
        findings.failed(check, SubIndication::FormatFailure, "there are no signed attributes");
        return None;
    };
    let attributes = match SignedAttributes::parse(set) {
        Ok(attributes) => attributes,
        Err(error) => {
            findings.failed(check, SubIndication::FormatFailure, error.to_string());
            return None;
        }
    };
    match check_content_type(subject, &attributes) {
        Ok(()) => findings.passed(check, format!("{} attributes, each once", attributes.kinds().len())),
        Err(evidence) => findings.failed(check, SubIndication::FormatFailure, evidence),
    }
    if !attributes.is_sorted() {
        findings.warning(check, "the attributes are not in the order that DER asks for");
    }
    Some(attributes)
}

/// content-type says what the content is; a counter-signature must not have one (RFC 5652 §11.4).
fn check_content_type(subject: Subject<'_>, attributes: &SignedAttributes) -> Result<(), &'static str> {
    let expected = match subject.role {
        Role::Counter => {
            return match attributes.content_type() {
                None => Ok(()),
                Some(_) => Err("a counter-signature has no content-type"),
            };
        }
        Role::Cades | Role::Pades => oid::DATA,
        Role::TimeStamp => oid::TST_INFO,
    };
    if attributes.content_type() != Some(subject.signed.content_type()) {
        return Err("content-type is absent or differs from the type of the content");
    }
    if subject.signed.content_type() != expected.as_bytes() {
        return Err(match subject.role {
            Role::TimeStamp => "the content is not a TSTInfo",
            Role::Cades | Role::Pades | Role::Counter => "the content is not id-data",
        });
    }
    Ok(())
}

/// The digest is named in three places and the signature algorithm in up to two: they must agree.
fn check_algorithms(
    findings: &mut Vec<Finding>,
    subject: Subject<'_>,
    attributes: Option<&SignedAttributes>,
    (context, proof): (&Context, Option<Timestamp>),
) -> Option<SignatureAlgorithm> {
    let (check, signer) = (Check::Algorithms, subject.signer);
    let algorithm = match signer.signature_algorithm() {
        Ok(algorithm) => algorithm,
        Err(UnusableAlgorithm::Weak(oid)) => {
            let evidence = format!("{oid} is a weak algorithm");
            findings.indeterminate(check, SubIndication::CryptoConstraintsFailure, evidence);
            return None;
        }
        Err(UnusableAlgorithm::Unknown(oid)) => {
            let evidence = format!("algorithm {oid} is not computed here");
            findings.indeterminate(check, SubIndication::Generic, evidence);
            return None;
        }
    };
    if let Err(evidence) = algorithms_agree(subject, attributes, algorithm) {
        findings.failed(check, SubIndication::FormatFailure, evidence);
        return None;
    }
    match context.check_digest(algorithm.digest_algorithm(), proof) {
        Ok(()) => findings.passed(check, algorithm.as_str()),
        Err(why) => {
            let evidence = format!("{} is not accepted here", algorithm.digest_algorithm().as_str());
            findings.indeterminate(check, why, evidence);
        }
    }
    Some(algorithm)
}

fn algorithms_agree(
    subject: Subject<'_>,
    attributes: Option<&SignedAttributes>,
    algorithm: SignatureAlgorithm,
) -> Result<(), String> {
    let digest = subject.signer.digest_algorithm();
    if algorithm.digest_algorithm().oid().as_bytes() != digest {
        return Err(format!("{} beside digest {}", algorithm.as_str(), oid::to_text(digest)));
    }
    // A counter-signature stands in an attribute: the list of the SignedData is not about it.
    if subject.role != Role::Counter
        && !subject.signed.digest_algorithms().iter().any(|listed| listed == digest)
    {
        return Err("the signer's digest algorithm is not among those of the SignedData".to_owned());
    }
    if let Some((protected, signature)) = attributes.and_then(SignedAttributes::algorithm_protection)
        && (protected != digest
            || signature.is_some_and(|signature| signature != subject.signer.signature_algorithm_oid()))
    {
        return Err("CMSAlgorithmProtection names other algorithms than were used".to_owned());
    }
    Ok(())
}

fn check_reference(
    findings: &mut Vec<Finding>,
    attributes: &SignedAttributes,
    certificate: Option<&Certificate>,
    role: Role,
) {
    let check = Check::SigningCertificateReference;
    let Some(reference) = attributes.signing_certificate() else {
        let only_v1 = attributes.has(oid::SIGNING_CERTIFICATE_V1);
        if role == Role::TimeStamp && only_v1 {
            // RFC 3161 §2.4.2 asks for the first version. Most authorities still write it; the certificate is bound
            // by its extended key usage and the imprint.
            return findings.warning(check, "the first version of signing-certificate, whose hash is SHA-1");
        }
        let evidence = if only_v1 {
            "only the first version of signing-certificate is there, whose hash is SHA-1"
        } else {
            "signing-certificate-v2 is absent: the certificate could have been exchanged"
        };
        return findings.indeterminate(check, SubIndication::SigConstraintsFailure, evidence);
    };
    let Some(certificate) = certificate else { return };
    match reference.refers_to(certificate) {
        Some(true) => findings.passed(check, "signing-certificate-v2 refers to the certificate"),
        Some(false) => findings.indeterminate(
            check,
            SubIndication::SigConstraintsFailure,
            "signing-certificate-v2 refers to another certificate",
        ),
        None => findings.indeterminate(
            check,
            SubIndication::CryptoConstraintsFailure,
            "signing-certificate-v2 uses a digest that is not accepted",
        ),
    }
}

fn check_value(
    findings: &mut Vec<Finding>,
    signer: &SignerInfo,
    attributes: Option<&SignedAttributes>,
    algorithm: SignatureAlgorithm,
    certificate: &Certificate,
) {
    let check = Check::SignatureValue;
    let (Some(set), Some(attributes)) = (&signer.signed_attributes, attributes) else { return };
    let key = match certificate.public_key() {
        Ok(key) => key,
        Err(error) => return findings.indeterminate(check, SubIndication::Generic, error.to_string()),
    };
    let verifies = |set: &[u8]| key.verify_message(algorithm, set, &signer.value).is_ok();
    // Writers that forget to sort either sign what they store or sort only what they sign.
    if verifies(set) || (!attributes.is_sorted() && verifies(&SignedAttributes::sorted(set))) {
        findings.passed(check, format!("{} with {}", algorithm.as_str(), key.describe()));
    } else {
        findings.failed(check, SubIndication::SigCryptoFailure, "the signature value does not verify");
    }
}
